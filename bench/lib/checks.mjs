// Before anything is measured: each side answers right, so that nobody is fast at failing.

import assert from "node:assert/strict";
import { credential, forgedToken, grantToken, LISTS, principal, send, SERVICE } from "./world.mjs";

const MAIN = { developerId: "dev_main", principalId: principal(0) };

export async function check(name, server) {
  const { main } = server.developers;
  const exchange = (bearer, service = SERVICE) => send(server, "POST", "/v1/vault/credentials/exchange", { bearer, json: { service } });
  const is = (answer, status, what) => assert.equal(answer.status, status, `${name}: ${what}: ${answer.status} ${answer.text}`);
  const stored = credential(MAIN.principalId);

  for (const alg of ["RS256", "ES256"]) {
    const good = await exchange(await grantToken(alg, MAIN));
    is(good, 200, `an exchange with ${alg}`);
    const { accessToken, tokenExpiresAt, metadata } = good.body;
    assert.deepEqual([accessToken, metadata], [stored.accessToken, stored.metadata], `${name}: what an exchange gives`);
    assert.equal(tokenExpiresAt, "2030-04-10T00:00:00.000Z");
    is(await exchange(await forgedToken(alg, MAIN)), 401, `another's signature with ${alg}`);
  }
  is(await exchange(await grantToken("ES256", { ...MAIN, scope: "slack:read" })), 403, "another scope");
  is(await exchange(await grantToken("ES256", { ...MAIN, scope: "*" }), "slack"), 404, "nothing stored");
  is(await exchange(main.apiKey), 401, "an API key for a grant token");

  const jti = "to-be-revoked";
  const token = await grantToken("RS256", { ...MAIN, jti });
  is(await exchange(token), 200, "before the token is revoked");
  is(await send(server, "POST", "/v1/tokens/revoke", { bearer: main.apiKey, json: { jti } }), 204, "revoking a token");
  is(await exchange(token), 401, "a revoked token");
  const grantId = "grant-to-be-revoked";
  const ofGrant = await grantToken("RS256", { ...MAIN, grantId });
  is(await exchange(ofGrant), 200, "before the grant is revoked");
  is(await send(server, "DELETE", `/v1/grants/${grantId}`, { bearer: main.apiKey }), 204, "revoking a grant");
  is(await exchange(ofGrant), 401, "a revoked grant");

  const got = await send(server, "GET", `/v1/vault/credentials/${main.ids[0]}`, { bearer: main.apiKey });
  is(got, 200, "get");
  assert.deepEqual(Object.keys(got.body).sort(), ["createdAt", "credentialType", "id", "metadata", "principalId", "service", "tokenExpiresAt", "updatedAt"]);
  is(await send(server, "GET", `/v1/vault/credentials/${main.ids[0]}`, { bearer: `${main.apiKey}x` }), 401, "an unknown API key");
  is(await send(server, "GET", `/v1/vault/credentials/${main.ids[0]}`, { bearer: server.developers.new.apiKey }), 404, "another developer's credential");
  for (const length of LISTS) {
    const listed = await send(server, "GET", "/v1/vault/credentials", { bearer: server.developers[length].apiKey });
    is(listed, 200, "list");
    assert.equal(new Set(listed.body.credentials.map(({ principalId }) => principalId)).size, length, `${name}: a list of ${length}`);
    assert.deepEqual(listed.body.credentials[0].metadata, credential(listed.body.credentials[0].principalId).metadata);
  }
}
