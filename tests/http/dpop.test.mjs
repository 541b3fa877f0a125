// Proves sender-constrained grants in workerd, where WebCrypto checks the proofs: a token that is bound to
// a key opens nothing without a good proof, and no proof twice.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertStatus, serveVault, unique } from "./harness.mjs";
import { Holder, PROOF_ALGORITHMS } from "./support/dpop.mjs";
import { now } from "./support/grants.mjs";

const vault = await serveVault();
const developer = await vault.newDeveloper();
const principal = unique("user");
const accessToken = unique("gho");
assertStatus(await developer.store({ principalId: principal, service: "github", accessToken }), 201);
const holders = Object.fromEntries(await Promise.all(PROOF_ALGORITHMS.map(async (alg) => [alg, await Holder.create(alg)])));
const holder = holders.ES256;

const PATH = "/v1/vault/credentials/exchange";
const htu = () => `${vault.worker.url}${PATH}`;
const bound = (to = holder, options = {}) => developer.grant({ principal, scopes: ["github:read"] }, { claims: to.claims, ...options });
const exchange = (token, proof, { scheme = "DPoP", json = { service: "github" } } = {}) =>
  vault.send("POST", PATH, { json, headers: { Authorization: `${scheme} ${token}`, ...(proof !== undefined && { DPoP: proof }) } });

async function assertRefused(answer, error, reason) {
  assertStatus(answer, 401);
  assert.equal(answer.headers["www-authenticate"], `DPoP error="${error}", algs="ES256 EdDSA RS256"`);
  assert.ok(!answer.text.includes(accessToken));
  const line = await vault.worker.logLineOf(answer.body.requestId);
  if (reason) assert.match(line.reason, reason);
}

describe("a token that is bound to a key", () => {
  for (const [alg, own] of Object.entries(holders)) {
    for (const signing of ["ES256", "RS256"]) {
      test(`of ${alg}, issued with ${signing}, opens with a proof, again and again with another`, async () => {
        const token = await bound(own, { alg: signing });
        for (let i = 0; i < 3; i++) assert.equal(assertStatus(await exchange(token, await own.proof(token, htu())), 200).body.accessToken, accessToken);
      });
    }
  }

  test("is refused without a proof, and as a bearer token", async () => {
    const token = await bound();
    await assertRefused(await exchange(token), "invalid_dpop_proof", /none/);
    await assertRefused(await exchange(token, await holder.proof(token, htu()), { scheme: "Bearer" }), "invalid_token", /cnf/);
    await assertRefused(await exchange(token, undefined, { scheme: "Bearer" }), "invalid_token", /cnf/);
  });

  test("gives references, too", async () => {
    const token = await bound();
    const answer = await exchange(token, await holder.proof(token, htu()), { json: { service: "github", delivery: "reference" } });
    const { credentialRef } = assertStatus(answer, 200).body;
    assert.equal(assertStatus(await developer.send("POST", "/v1/vault/references/resolve", { json: { credentialRef } }), 200).body.accessToken, accessToken);
  });

  test("may be stolen with its proof, and opens nothing then", async () => {
    const token = await bound();
    const proof = await holder.proof(token, htu());
    assertStatus(await exchange(token, proof), 200);
    for (let i = 0; i < 3; i++) await assertRefused(await exchange(token, proof), "invalid_dpop_proof", /used before/);
    // An isolate that has seen nothing learns it from storage.
    await vault.restart();
    const moved = await holder.proof(token, htu());
    assertStatus(await exchange(token, moved), 200);
    const { name } = (await vault.worker.dump("proof:"))[0];
    assert.match(name, new RegExp(`^proof:${developer.developerId}:[\\w-]{43}$`));
  });

  test("is refused with a proof that is wrong in any one way", async () => {
    const token = await bound();
    const other = await Holder.create("ES256");
    const wrong = {
      "another key": await other.proof(token, htu()),
      "another key's signature": await other.proof(token, htu(), { header: { jwk: holder.jwk } }),
      "another method": await holder.proof(token, htu(), { claims: { htm: "GET" } }),
      "another path": await holder.proof(token, `${vault.worker.url}/oauth/token`),
      "another host": await holder.proof(token, `https://evil.example${PATH}`),
      "another token": await holder.proof(await bound(), htu()),
      "no token": await holder.proof(token, htu(), { claims: { ath: undefined } }),
      "too old": await holder.proof(token, htu(), { claims: { iat: now() - 90 } }),
      "of the future": await holder.proof(token, htu(), { claims: { iat: now() + 60 } }),
      "no jti": await holder.proof(token, htu(), { claims: { jti: undefined } }),
      "another typ": await holder.proof(token, htu(), { header: { typ: "JWT" } }),
      "its private key": await holder.proof(token, htu(), { header: { jwk: { ...holder.jwk, d: "AAAA" } } }),
      "two proofs": `${await holder.proof(token, htu())}, ${await holder.proof(token, htu())}`,
      "no proof at all": "x",
      "a changed proof": (await holder.proof(token, htu())).replace(/.$/, (last) => (last === "A" ? "Q" : "A")),
    };
    for (const [name, proof] of Object.entries(wrong)) {
      await assertRefused(await exchange(token, proof), "invalid_dpop_proof", undefined, name);
    }
    assertStatus(await exchange(token, await holder.proof(token, htu())), 200);
  });

  test("must be good itself", async () => {
    const expired = await bound(holder, { claims: { ...holder.claims, exp: 1 } });
    assertStatus(await exchange(expired, await holder.proof(expired, htu())), 401);
    for (const cnf of [{}, { jkt: holder.jkt, "x5t#S256": "x" }, { jwk: holder.jwk }, { jkt: "" }]) {
      const token = await bound(holder, { claims: { cnf } });
      assertStatus(await exchange(token, await holder.proof(token, htu())), 401, JSON.stringify(cnf));
    }
  });
});

test("a token that isn't bound is refused with the scheme DPoP", async () => {
  const token = await developer.grant({ principal, scopes: ["github:read"] });
  await assertRefused(await exchange(token, await holder.proof(token, htu())), "invalid_token", /not bound/);
  assertStatus(await exchange(token, await holder.proof(token, htu()), { scheme: "Bearer" }), 200);
});

test("an API key is no token for the scheme DPoP", async () => {
  const answer = await vault.send("GET", "/v1/me", { headers: { Authorization: `DPoP ${developer.apiKey}` } });
  assertStatus(answer, 401);
});
