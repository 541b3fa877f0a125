// Proves that an OAuth client that knows nothing of this vault can do the exchange: oauth4webapi finds the
// token endpoint by the metadata and exchanges a grant token (RFC 8693), with DPoP where the token is bound.
// Then every error of the standards, one by one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as oauth from "oauth4webapi";
import { assertStatus, serveVault, unique } from "./harness.mjs";
import { Holder, PROOF_ALGORITHMS } from "./support/dpop.mjs";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

const vault = await serveVault();
const developer = await vault.newDeveloper();
const principal = unique("user");
const accessToken = unique("gho");
const tokenExpiresAt = new Date(Date.now() + 3_600_000).toISOString();
assertStatus(await developer.store({ principalId: principal, service: "github", accessToken, tokenExpiresAt }), 201);
const past = { principalId: principal, service: "slack", accessToken: unique("xoxb"), tokenExpiresAt: "2020-01-01T00:00:00Z" };
assertStatus(await developer.store(past), 201);

const grant = (fields = {}, options) => developer.grant({ principal, scopes: ["github:read", "slack:read"], ...fields }, options);

const insecure = { [oauth.allowInsecureRequests]: true };
const client = { client_id: "some-agent" };
async function server() {
  const issuer = new URL(vault.worker.url);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }));
}

/** The exchange as oauth4webapi makes it. */
async function exchange(parameters, options = {}) {
  const as = await server();
  const form = new URLSearchParams({ subject_token_type: JWT, ...parameters });
  const response = await oauth.genericTokenEndpointRequest(as, client, oauth.None(), GRANT_TYPE, form, { ...insecure, ...options });
  return oauth.processGenericTokenEndpointResponse(as, client, response);
}

/** A request by hand: `parameters` over good ones, undefined removes one. */
async function request(parameters = {}, { headers = {}, body } = {}) {
  const all = { grant_type: GRANT_TYPE, subject_token: await grant(), subject_token_type: JWT, audience: "github", ...parameters };
  const form = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined));
  const type = { "Content-Type": "application/x-www-form-urlencoded" };
  return vault.send("POST", "/oauth/token", { body: body ?? form.toString(), headers: { ...type, ...headers } });
}

function assertError(answer, error, status = 400) {
  assertStatus(answer, status);
  assert.equal(answer.body.error, error, answer.text);
  assert.ok(!answer.text.includes(accessToken));
}

describe("an OAuth client", () => {
  test("finds the token endpoint by the metadata", async () => {
    const { url } = vault.worker;
    assert.deepEqual(await server(), {
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      grant_types_supported: [GRANT_TYPE],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ["none"],
      dpop_signing_alg_values_supported: ["ES256", "EdDSA", "RS256"],
    });
    assertStatus(await vault.send("POST", "/.well-known/oauth-authorization-server"), 405);
    assertStatus(await vault.send("GET", "/oauth/token"), 405);
  });

  test("exchanges a grant token by audience or resource", async () => {
    for (const spelling of ["standard", "legacy"]) {
      for (const target of [{ audience: "GitHub" }, { resource: `${vault.worker.url}/services/github` }, { audience: "github", resource: `${vault.worker.url}/services/GitHub` }]) {
        const { expires_in, ...issued } = await exchange({ subject_token: await grant({}, { spelling }), ...target });
        assert.ok(expires_in > 3_500 && expires_in <= 3_600, `${expires_in}`);
        assert.deepEqual(issued, { access_token: accessToken, issued_token_type: ACCESS_TOKEN, token_type: "bearer" });
      }
    }
    assertStatus(await request({ subject_token_type: ACCESS_TOKEN, requested_token_type: ACCESS_TOKEN }), 200);
  });

  test("is told no expiry that is past or unknown", async () => {
    assert.equal(assertStatus(await request({ audience: "slack" }), 200).body.expires_in, undefined);
  });

  test("may narrow the grant to some of its scopes", async () => {
    const issued = await exchange({ subject_token: await grant(), audience: "github", scope: "github:read" });
    assert.equal(issued.scope, "github:read");
    assertError(await request({ scope: "slack:read" }), "invalid_target");
    assertError(await request({ scope: "github:read github:write" }), "invalid_scope");
  });

  for (const alg of PROOF_ALGORITHMS) {
    test(`proves its ${alg} key with DPoP`, async () => {
      const pair = await oauth.generateKeyPair(alg === "EdDSA" ? "Ed25519" : alg);
      const holder = await Holder.of(pair, alg);
      const subject_token = await grant({}, { claims: holder.claims });
      const DPoP = oauth.DPoP(client, pair);
      for (let i = 0; i < 2; i++) assert.equal((await exchange({ subject_token, audience: "github" }, { DPoP })).access_token, accessToken);
    });
  }

  test("gets an error that it understands", async () => {
    await assert.rejects(exchange({ subject_token: await grant(), audience: "nothing" }), (thrown) => thrown instanceof oauth.ResponseBodyError && thrown.error === "invalid_target" && thrown.status === 400);
  });
});

describe("an error", () => {
  test("invalid_request is a parameter that is missing, empty, repeated or unusable", async () => {
    for (const name of ["grant_type", "subject_token", "subject_token_type"]) {
      for (const value of [undefined, ""]) assertError(await request({ [name]: value }), "invalid_request");
    }
    assertError(await request({ audience: undefined }), "invalid_request");
    for (const parameters of [{ subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }, { requested_token_type: JWT }, { actor_token: "x" }, { actor_token_type: JWT }]) {
      assertError(await request(parameters), "invalid_request");
    }
    const good = new URLSearchParams({ grant_type: GRANT_TYPE, subject_token: await grant(), subject_token_type: JWT, audience: "github" });
    for (const name of ["grant_type", "subject_token", "audience", "client_id"]) {
      const twice = `${good}&${name}=x&${name}=x`;
      assertError(await request({}, { body: twice }), "invalid_request");
    }
    assertStatus(await request({}, { body: `${good}&unknown=x&client_id=y` }), 200);
  });

  test("invalid_request is a subject token that isn't good", async () => {
    const jti = unique("jti");
    assertStatus(await developer.revokeToken(jti), 204);
    for (const subject_token of ["x", developer.apiKey, await grant({}, { claims: { exp: 1 } }), await grant({ jti }), `${await grant()}x`]) {
      assertError(await request({ subject_token }), "invalid_request");
    }
  });

  test("invalid_request is a body of another kind", async () => {
    for (const type of ["application/json", "multipart/form-data", "text/plain"]) {
      assertError(await request({}, { headers: { "Content-Type": type } }), "invalid_request");
    }
    assertError(await request({}, { body: "" }), "invalid_request");
    assertError(await request({}, { body: `subject_token=${"x".repeat(300_000)}` }), "invalid_request", 413);
  });

  test("unsupported_grant_type is another grant type", async () => {
    for (const grant_type of ["client_credentials", "authorization_code", GRANT_TYPE.toUpperCase()]) assertError(await request({ grant_type }), "unsupported_grant_type");
  });

  test("invalid_target is a service that the grant doesn't cover, or that is none", async () => {
    const { url } = vault.worker;
    for (const parameters of [
      { subject_token: await grant({ scopes: ["slack:read"] }) }, { subject_token: await grant({ principal: unique("nobody") }) }, { audience: "a b" }, { audience: url },
      { audience: undefined, resource: "github" }, { audience: undefined, resource: "https://evil.example/services/github" }, { audience: undefined, resource: `${url}/services/` },
      { audience: undefined, resource: `${url}/services/github#x` }, { audience: undefined, resource: `${url}/services/github?x` }, { audience: undefined, resource: `${url}/github` },
      { audience: "github", resource: `${url}/services/slack` },
    ]) {
      assertError(await request(parameters), "invalid_target");
    }
  });

  test("invalid_dpop_proof is a bound token without a good proof, or with one that was used", async () => {
    const holder = await Holder.create("ES256");
    const subject_token = await grant({}, { claims: holder.claims });
    const endpoint = `${vault.worker.url}/oauth/token`;
    const proof = await holder.proof(subject_token, endpoint, { claims: { ath: undefined } });
    const other = await Holder.create("ES256");
    for (const DPoP of [undefined, "x", await holder.proof(subject_token, `${vault.worker.url}/v1/vault/credentials/exchange`), await other.proof(subject_token, endpoint), await holder.proof("another token", endpoint)]) {
      assertError(await request({ subject_token }, { headers: DPoP === undefined ? {} : { DPoP } }), "invalid_dpop_proof");
    }
    assertStatus(await request({ subject_token }, { headers: { DPoP: proof } }), 200);
    assertError(await request({ subject_token }, { headers: { DPoP: proof } }), "invalid_dpop_proof");
  });

  test("is logged as a refused exchange, and an exchange as one", async () => {
    const refused = await request({ subject_token: await grant({ scopes: ["slack:read"] }) });
    const line = await vault.worker.logLineOf(refused.headers["x-request-id"]);
    assert.deepEqual([line.event, line.call, line.status], ["exchange.refused", "POST /oauth/token", 400]);
    const done = await vault.worker.logLineOf((await request()).headers["x-request-id"]);
    assert.deepEqual([done.event, done.rule, done.status], ["credential.exchanged", "github:read", 200]);
  });
});

test("when the vault isn't configured it is temporarily unavailable", async () => {
  await vault.restart({ SIGNUP: "perhaps" });
  assertError(await request(), "temporarily_unavailable", 503);
});
