// Proves that the vault works beside Grantex: with its API keys, its keys and its revocations; and that
// whatever Grantex does wrong ends in a refusal with a clear answer. Grantex is a stand-in on loopback.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Developer, assertStatus, poll, serveVault, unique } from "./harness.mjs";
import { Grantex } from "./support/grantex.mjs";
import { makeKey } from "./support/grants.mjs";

const KIB = 1024;
const grantex = new Grantex();
after(() => grantex.stop());

const ownKey = unique("gx_live_own");
const vault = await serveVault({
  async settings(issuer) {
    await grantex.start(issuer);
    return { GRANT_JWKS: undefined, GRANTEX_API_URL: `${grantex.url}/`, GRANTEX_API_KEY: ownKey, GRANTEX_KEY_CACHE_SECONDS: "2" };
  },
});
vault.secrets.add("Grantex's API key", ownKey);

/** A developer of Grantex's, whom this vault has never heard of. */
function newDeveloper(said = {}) {
  const apiKey = unique("gx_live");
  const profile = { developerId: `dev_${Math.random().toString(36).slice(2)}`, name: unique("Acme"), email: null, mode: "live", plan: "free", createdAt: "2026-01-02T03:04:05.678Z", ...said };
  grantex.developers.set(apiKey, profile);
  return new Developer(vault, { ...profile, apiKey });
}

const developer = newDeveloper();
grantex.developers.set(ownKey, { developerId: "dev_own" });
const principal = unique("user");
const accessToken = unique("gho");

const grant = (fields = {}, options) => developer.grant({ principal, scopes: ["github:read"], grantId: unique("grnt"), ...fields }, options);
const exchange = async (token) => vault.exchange(token ?? (await grant()), "github");
const jsonAnswer =
  (value, status = 200, headers = {}) =>
  (_, response) =>
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(typeof value === "string" ? value : JSON.stringify(value));

/** Starts anew with nothing remembered, but with the issuer's keys if an exchange went well since. */
async function fresh(settings = {}) {
  grantex.misbehave = undefined;
  await vault.restart(settings);
  assertStatus(await exchange(), 200);
  grantex.take();
}

/** What a broken or hostile server may do, as handlers of one path. */
function misdeeds(good) {
  return {
    "answers 500": jsonAnswer({}, 500),
    "answers 404": jsonAnswer({}, 404),
    "asks to slow down": jsonAnswer({}, 429, { "Retry-After": "1" }),
    "answers 201": jsonAnswer(good, 201),
    "redirects to a good answer": (request, response) =>
      request.url === "/good" ? jsonAnswer(good)(request, response) : response.writeHead(307, { Location: "/good" }).end(),
    "answers with HTML": (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(JSON.stringify(good)),
    "answers nothing": jsonAnswer(""),
    "answers no JSON": jsonAnswer("<html>"),
    "answers a list": jsonAnswer([good]),
    "answers an empty object": jsonAnswer({}),
    "answers a name twice": jsonAnswer(JSON.stringify(good).replace("{", '{"valid":false,"valid":true,"developerId":"dev_x",')),
    "answers more than 64 KiB": jsonAnswer(JSON.stringify(good) + " ".repeat(64 * KIB)),
    "answers without end": (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      const timer = setInterval(() => response.write(" ".repeat(16 * KIB)), 1);
      response.on("close", () => clearInterval(timer));
    },
    "closes the connection": (request) => request.socket.destroy(),
    "breaks off": (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 1000 });
      response.write('{"valid":true');
      setTimeout(() => response.destroy(), 20);
    },
    "never answers": () => {},
    "starts an answer and stalls": (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write(JSON.stringify(good).slice(0, 5));
    },
  };
}

async function assertUnavailable(answer) {
  assertStatus(answer, 503);
  assert.match(answer.body.message, /Grantex/);
  const line = await vault.worker.logLineOf(answer.body.requestId);
  assert.match(line.reason, /Grantex/, JSON.stringify(line));
}

test("with the API key that one has at Grantex, one stores, and agents exchange", async () => {
  const stored = assertStatus(await developer.store({ principalId: principal, service: "github", accessToken }), 201);
  assert.equal(assertStatus(await developer.get(stored.body.id), 200).body.service, "github");
  assert.equal(assertStatus(await exchange(), 200).body.accessToken, accessToken);
  for (const spelling of ["standard", "legacy"]) assertStatus(await exchange(await grant({}, { spelling })), 200);
  const { name, email, mode, createdAt, developerId } = developer;
  assert.deepEqual(assertStatus(await developer.send("GET", "/v1/me"), 200).body, { developerId, name, email, mode, createdAt });
});

describe("an API key", () => {
  test("is asked about once in a while, with itself as the bearer", async () => {
    await fresh();
    for (let i = 0; i < 5; i++) assertStatus(await developer.list(), 200);
    assert.deepEqual(grantex.requests.map(({ method, path, authorization }) => [method, path, authorization]), [["GET", "/v1/me", `Bearer ${developer.apiKey}`]]);
    grantex.take();
    grantex.developers.delete(developer.apiKey);
    // Its two seconds pass, and its end at Grantex is its end here.
    await poll("the key to end", async () => (await developer.list()).status === 401, { timeout: 10_000, interval: 200 });
    grantex.developers.set(developer.apiKey, { developerId: developer.developerId });
  });

  test("that Grantex refuses is a 401, and Grantex isn't asked again at once", async () => {
    await fresh();
    const bearer = unique("gx_live_nobody");
    for (let i = 0; i < 5; i++) assertStatus(await vault.send("GET", "/v1/me", { bearer }), 401);
    assert.deepEqual(grantex.take(), ["GET /v1/me"]);
  });

  test("is never a grant token, a reference or the operator's key", async () => {
    await fresh();
    const { credentialRef } = assertStatus(await vault.exchange(await grant(), undefined, { json: { service: "github", delivery: "reference" } }), 200).body;
    grantex.take();
    for (const bearer of [await grant(), credentialRef, vault.adminKey, "gx_", "gx_live_a.b"]) assertStatus(await vault.send("GET", "/v1/me", { bearer }), 401);
    assert.deepEqual(grantex.take(), []);
  });

  test("of this vault's own is good without Grantex", async () => {
    await fresh();
    const own = await vault.newDeveloper();
    assertStatus(await own.list(), 200);
    const rotated = assertStatus(await own.send("POST", "/v1/keys/rotate"), 200);
    vault.secrets.add("an API key", rotated.body.apiKey);
    assert.deepEqual(grantex.take(), []);
  });

  test("of Grantex's is rotated there", async () => {
    const answer = assertStatus(await developer.send("POST", "/v1/keys/rotate"), 403);
    assert.match(answer.body.message, /Grantex/);
  });

  test("needs no more than a developerId", async () => {
    const apiKey = unique("gx_test");
    grantex.developers.set(apiKey, { developerId: "dev_least" });
    vault.secrets.add("an API key", apiKey);
    assert.deepEqual(assertStatus(await vault.send("GET", "/v1/me", { bearer: apiKey }), 200).body, { developerId: "dev_least", name: null, email: null, mode: null, createdAt: null });
  });

  test("opens one developer's vault and no other", async () => {
    const other = newDeveloper();
    assert.deepEqual(assertStatus(await other.list(), 200).body.credentials, []);
  });

  for (const [name, misdeed] of Object.entries(misdeeds({ developerId: developer.developerId }))) {
    test(`is a 503 where Grantex ${name}`, async () => {
      const bearer = unique("gx_live");
      vault.secrets.add("an API key", bearer);
      grantex.misbehave = misdeed;
      grantex.take();
      await assertUnavailable(await vault.send("GET", "/v1/vault/credentials", { bearer }));
      assert.deepEqual(grantex.take(), ["GET /v1/me"], "asked once, and no redirect followed");
      grantex.misbehave = undefined;
      assertStatus(await vault.send("GET", "/v1/me", { bearer }), 401, "nothing was remembered");
    });
  }

  test("is a 503 where the developerId can't be one", async () => {
    for (const developerId of [null, 5, "", "a:b", "x".repeat(65)]) {
      grantex.misbehave = jsonAnswer({ developerId });
      await assertUnavailable(await vault.send("GET", "/v1/me", { bearer: unique("gx_live") }));
    }
    grantex.misbehave = undefined;
  });
});

describe("a grant's standing", () => {
  test("online is asked at every exchange, and a revocation there ends it here at once", async () => {
    await fresh();
    const jti = unique("jti");
    const token = await grant({ jti });
    for (let i = 0; i < 3; i++) assertStatus(await exchange(token), 200);
    const { authorization, body } = grantex.requests[0];
    assert.deepEqual([authorization, JSON.parse(body)], [`Bearer ${ownKey}`, { token }]);
    assert.deepEqual(grantex.take(), Array(3).fill("POST /v1/tokens/verify"));
    grantex.revoked.add(jti);
    const refused = assertStatus(await exchange(token), 401);
    assert.match((await vault.worker.logLineOf(refused.body.requestId)).reason, /Grantex/);
  });

  test("is asked only for tokens that are good as far as they go", async () => {
    grantex.take();
    for (const token of ["x", developer.apiKey, await grant({}, { claims: { exp: 1 } }), `${await grant()}x`]) assertStatus(await exchange(token), 401);
    assert.deepEqual(grantex.take(), []);
  });

  test("revoked here is revoked, whatever Grantex says", async () => {
    const jti = unique("jti");
    const token = await grant({ jti });
    assertStatus(await exchange(token), 200);
    assertStatus(await developer.revokeToken(jti), 204);
    assertStatus(await exchange(token), 401);
  });

  test("must agree with the token", async () => {
    const token = await grant();
    const yes = grantex.standing(token);
    for (const [lie, status] of [
      [{ ...yes, valid: "true" }, 503], [{ ...yes, valid: 1 }, 503], [{ valid: true }, 503], [{ ...yes, grantId: undefined }, 503], [{ ...yes, principal: null }, 503],
      [{ ...yes, grantId: "grnt_other" }, 401], [{ ...yes, principal: "someone" }, 401], [{ ...yes, agent: "did:x" }, 401], [{ ...yes, valid: false }, 401],
    ]) {
      grantex.misbehave = { "/v1/tokens/verify": jsonAnswer(lie) };
      const answer = assertStatus(await exchange(token), status, JSON.stringify(lie));
      assert.ok(!answer.text.includes(accessToken));
    }
    grantex.misbehave = undefined;
    assertStatus(await exchange(token), 200);
  });

  const grantId = unique("grnt");
  const good = { valid: true, grantId, scopes: ["github:read"], principal, agent: "did:grantex:agent-1", expiresAt: "2030-01-01T00:00:00.000Z" };
  for (const [name, misdeed] of Object.entries(misdeeds(good))) {
    test(`is a 503 where Grantex ${name}`, async () => {
      const token = await grant({ grantId });
      const started = Date.now();
      grantex.misbehave = { "/v1/tokens/verify": misdeed, "/good": misdeed };
      await assertUnavailable(await exchange(token));
      assert.ok(Date.now() - started < 9_000, "within 5 s and a little");
      grantex.misbehave = undefined;
      assertStatus(await exchange(token), 200);
    });
  }

  test("is a 503 where Grantex refuses the key it is asked with, and the log names the setting", async () => {
    grantex.developers.delete(ownKey);
    const answer = assertStatus(await exchange(), 503);
    assert.match((await vault.worker.logLineOf(answer.body.requestId)).reason, /GRANTEX_API_KEY/);
    assert.ok(!answer.text.includes("GRANTEX_API_KEY"));
    grantex.developers.set(ownKey, { developerId: "dev_own" });
  });

  test("counts for references, too, when they are given and when they are resolved", async () => {
    const jti = unique("jti");
    const token = await grant({ jti });
    const refer = () => vault.exchange(token, undefined, { json: { service: "github", delivery: "reference" } });
    const { credentialRef } = assertStatus(await refer(), 200).body;
    const resolve = () => developer.send("POST", "/v1/vault/references/resolve", { json: { credentialRef } });
    grantex.take();
    assert.equal(assertStatus(await resolve(), 200).body.accessToken, accessToken);
    assert.ok(grantex.take().includes("POST /v1/tokens/verify"));
    grantex.misbehave = { "/v1/tokens/verify": jsonAnswer({}, 500) };
    await assertUnavailable(await resolve());
    grantex.misbehave = undefined;
    grantex.revoked.add(jti);
    assertStatus(await refer(), 401);
    assertStatus(await resolve(), 403);
  });

  test("cached:N is at most N seconds old", async () => {
    await fresh({ GRANT_STATUS: "cached:2" });
    const jti = unique("jti");
    const token = await grant({ jti });
    assertStatus(await exchange(token), 200);
    assertStatus(await exchange(token), 200);
    assert.deepEqual(grantex.take(), ["POST /v1/tokens/verify"]);
    grantex.revoked.add(jti);
    await poll("the revocation", async () => (await exchange(token)).status === 401, { timeout: 10_000, interval: 100 });
    assertStatus(await exchange(token), 401, "a no is not remembered as a yes");
    grantex.misbehave = { "/v1/tokens/verify": jsonAnswer({}, 500) };
    assertStatus(await exchange(), 503, "a token that was never heard to stand");
  });

  test("offline asks nobody", async () => {
    await fresh({ GRANT_STATUS: "offline", GRANTEX_API_KEY: undefined });
    const jti = unique("jti");
    grantex.revoked.add(jti);
    assertStatus(await exchange(await grant({ jti })), 200);
    assert.deepEqual(grantex.take(), []);
    await fresh({ GRANT_STATUS: undefined, GRANTEX_API_KEY: ownKey });
  });
});

test("keys come from Grantex, and a rotated one is found", async () => {
  await vault.restart();
  grantex.take();
  assertStatus(await exchange(), 200);
  assert.ok(grantex.take().includes("GET /.well-known/jwks.json"));
  const rotated = await makeKey("ES256", "rotated");
  assertStatus(await exchange(await grant({}, { key: rotated })), 401);
  grantex.jwks = { keys: [...vault.issuer.jwks.keys, rotated.jwk] };
  await poll("the rotated key", async () => (await exchange(await grant({}, { key: rotated }))).status === 200, { timeout: 35_000, interval: 250 });
});

test("Grantex gone altogether stops its developers' calls and exchanges, and nothing else", async () => {
  const own = await vault.newDeveloper();
  await vault.restart({ GRANTEX_API_URL: "http://127.0.0.1:9" });
  await assertUnavailable(await developer.list());
  assertStatus(await exchange(), 503);
  assertStatus(await own.list(), 200);
  assertStatus(await vault.send("GET", "/health"), 200);
});

test("a bad setting is named", async () => {
  const good = { GRANTEX_API_URL: grantex.url, GRANTEX_API_KEY: ownKey, GRANT_STATUS: undefined, GRANTEX_KEY_CACHE_SECONDS: undefined };
  for (const [name, value] of [
    ["GRANTEX_API_URL", "http://api.grantex.test"], ["GRANTEX_API_KEY", undefined], ["GRANT_STATUS", "cached:0"], ["GRANT_STATUS", "sometimes"], ["GRANTEX_KEY_CACHE_SECONDS", "3601"],
  ]) {
    await vault.restart({ ...good, [name]: value });
    const { body } = assertStatus(await vault.send("GET", "/health"), 503);
    assert.deepEqual(body.problems.map(({ setting }) => setting), [name], `${name}=${value}`);
  }
  await vault.restart({ ...good, GRANTEX_API_URL: undefined, GRANT_STATUS: "online", GRANT_JWKS: vault.issuer.settings.GRANT_JWKS });
  const { body } = assertStatus(await vault.send("GET", "/health"), 503);
  assert.deepEqual(body.problems.map(({ setting }) => setting), ["GRANT_STATUS"]);
  await vault.restart({ ...good, GRANT_JWKS: undefined });
});
