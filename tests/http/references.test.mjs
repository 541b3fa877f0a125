// Proves credentials by reference over HTTP: an agent gets a sealed text instead of the secret, the
// developer's API key alone resolves it, and only while grant and credential stand.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TIMESTAMP, assertStatus, serveVault, unique, withoutRequestId } from "./harness.mjs";
import { now } from "./support/grants.mjs";

const vault = await serveVault();
const developer = await vault.newDeveloper();
const principal = unique("user");
const accessToken = unique("gho");
const credential = { principalId: principal, service: "GitHub", accessToken, tokenExpiresAt: "2030-04-10T00:00:00.000Z", metadata: { scope: "repo" } };
assertStatus(await developer.store(credential), 201);

const grant = (fields = {}, options) => developer.grant({ principal, scopes: ["github:read"], ...fields }, options);
const refer = (token, body = {}) => vault.exchange(token, undefined, { json: { service: "github", delivery: "reference", ...body } });

/** A reference that is in no log afterwards. */
async function reference(token) {
  const answer = assertStatus(await refer(token ?? (await grant())), 200);
  vault.secrets.add("a reference", answer.body.credentialRef);
  return answer.body;
}

const resolve = (credentialRef, options) => developer.send("POST", "/v1/vault/references/resolve", { json: { credentialRef }, ...options });

describe("an exchange by reference", () => {
  test("gives a sealed text and everything but the token", async () => {
    const { credentialRef, referenceExpiresAt, ...rest } = await reference();
    assert.match(credentialRef, /^vref_[A-Za-z0-9_-]+$/);
    assert.match(referenceExpiresAt, TIMESTAMP);
    const seconds = Date.parse(referenceExpiresAt) / 1000 - now();
    assert.ok(seconds > 240 && seconds <= 301, `${seconds} s`);
    const { tokenExpiresAt, metadata } = credential;
    assert.deepEqual(rest, { service: "GitHub", credentialType: "oauth2", tokenExpiresAt, metadata });
  });

  test("ends with the grant", async () => {
    const exp = now() + 100;
    const { referenceExpiresAt } = await reference(await grant({}, { claims: { exp } }));
    assert.equal(Date.parse(referenceExpiresAt), exp * 1000);
    // Within the tolerated skew a grant still exchanges, but there is no time left for a reference.
    const ended = await grant({}, { claims: { exp: now() - 5 } });
    assertStatus(await vault.exchange(ended, "github"), 200);
    assertStatus(await refer(ended), 401);
  });

  test("writes nothing to storage", async () => {
    const before = (await vault.worker.dump()).map(({ name }) => name);
    await resolve((await reference()).credentialRef);
    assert.deepEqual((await vault.worker.dump()).map(({ name }) => name), before);
  });

  test("is refused where the credential would be, in the same way", async () => {
    for (const [token, body, status] of [
      [await grant({ scopes: ["slack:read"] }), {}, 403],
      [await grant({ principal: unique("nobody") }), {}, 404],
      ["no-token", {}, 401],
      [developer.apiKey, {}, 401],
      [await grant(), { service: "a b" }, 400],
    ]) {
      const refused = assertStatus(await refer(token, body), status);
      const plain = await vault.exchange(token, undefined, { json: { service: "github", ...body } });
      assert.deepEqual(withoutRequestId(refused), withoutRequestId(plain));
    }
  });

  test("is for a delivery that is known", async () => {
    for (const delivery of ["Reference", "by reference", "", 5, true]) {
      const answer = assertStatus(await refer(await grant(), { delivery }), 400);
      assert.match(answer.body.message, /delivery/);
    }
  });
});

describe("resolving", () => {
  test("gives what an exchange would", async () => {
    const { credentialRef } = await reference();
    const resolved = assertStatus(await resolve(credentialRef), 200);
    assert.deepEqual(resolved.body, (await vault.exchange(await grant(), "github")).body);
    assert.equal(resolved.body.accessToken, accessToken);
    assertStatus(await resolve(credentialRef), 200, "as often as is wanted");
  });

  test("is the developer's, not the agent's or another developer's", async () => {
    const token = await grant();
    const { credentialRef } = await reference(token);
    for (const bearer of [token, credentialRef, "x"]) assertStatus(await resolve(credentialRef, { bearer }), 401);
    assertStatus(await vault.send("POST", "/v1/vault/references/resolve", { json: { credentialRef } }), 401);
    const other = await vault.newDeveloper();
    const notTheirs = assertStatus(await resolve(credentialRef, { bearer: other.apiKey }), 404);
    assert.deepEqual(withoutRequestId(notTheirs), withoutRequestId(assertStatus(await resolve("vref_made-up"), 404)));
  });

  test("ends with a revocation of the token or the grant", async () => {
    for (const revoke of [({ jti }) => developer.revokeToken(jti), ({ grantId }) => developer.revokeGrant(grantId), ({ parentGrantId }) => developer.revokeGrant(parentGrantId)]) {
      const ids = { jti: unique("jti"), grantId: unique("grnt"), parentGrantId: unique("grnt") };
      const { credentialRef } = await reference(await grant(ids));
      assertStatus(await resolve(credentialRef), 200);
      assertStatus(await revoke(ids), 204);
      const refused = assertStatus(await resolve(credentialRef), 403);
      assert.match(refused.body.message, /revoked/);
      assert.ok(!refused.text.includes(accessToken));
    }
  });

  test("gives the credential as it is now, or 404 when it is gone", async () => {
    const own = { principalId: unique("user"), service: "github", accessToken: unique("gho") };
    const { id } = assertStatus(await developer.store(own), 201).body;
    const { credentialRef } = await reference(await grant({ principal: own.principalId }));
    const replaced = { ...own, accessToken: unique("gho") };
    assertStatus(await developer.store(replaced), 201);
    assert.equal(assertStatus(await resolve(credentialRef), 200).body.accessToken, replaced.accessToken);
    assertStatus(await developer.delete(id), 204);
    assertStatus(await resolve(credentialRef), 404);
  });

  test("refuses a reference that was changed, and what never was one", async () => {
    const { credentialRef } = await reference();
    const middle = credentialRef.length / 2;
    const changed = credentialRef.slice(0, middle) + (credentialRef[Math.floor(middle)] === "A" ? "B" : "A") + credentialRef.slice(middle + 1);
    for (const text of [changed, credentialRef.slice(0, -1), credentialRef.slice(5), `${credentialRef}A`, "", "vref_", "vref_AAAA", "x".repeat(10_000)]) {
      assertStatus(await resolve(text), 404, text.slice(0, 20));
    }
    for (const json of [{}, { credentialRef: null }, { credentialRef: 5 }, { credentialRef: [credentialRef] }]) {
      assert.match(assertStatus(await developer.send("POST", "/v1/vault/references/resolve", { json }), 400).body.message, /credentialRef/);
    }
  });

  test("lasts no longer than it says, and outlives a rotation of the root key", async () => {
    const token = await grant({}, { claims: { exp: now() + 2 } });
    const { credentialRef, referenceExpiresAt } = await reference(token);
    const lasting = (await reference()).credentialRef;
    await new Promise((done) => setTimeout(done, Date.parse(referenceExpiresAt) - Date.now() + 50));
    assertStatus(await resolve(credentialRef), 404);
    await vault.restart({ VAULT_PREVIOUS_KEYS: vault.worker.settings.VAULT_ENCRYPTION_KEY, VAULT_ENCRYPTION_KEY: "7e".repeat(32) });
    assertStatus(await resolve(lasting), 200);
  });
});
