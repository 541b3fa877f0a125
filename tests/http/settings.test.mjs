// Proves that a vault with a bad setting serves nothing and says which setting it is, never its value;
// and that a change of the encryption key loses nothing as long as the old one is named.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Vault, assertStatus, makeRootKey, serveVault, unique } from "./harness.mjs";

const vault = await serveVault();
const base64 = (bytes) => randomBytes(bytes).toString("base64");
const jwks = (count) =>
  JSON.stringify({ keys: Array.from({ length: count }, (_, i) => ({ ...vault.issuer.keys.ES256.jwk, kid: `${i}` })) });

/** [setting, a bad value or a function that makes it]. A value that is long enough must not be shown. */
const bad = [
  ["VAULT_ENCRYPTION_KEY", undefined],
  ["VAULT_ENCRYPTION_KEY", ""],
  ["VAULT_ENCRYPTION_KEY", "correct horse battery staple"],
  ["VAULT_ENCRYPTION_KEY", randomBytes(31).toString("hex")],
  ["VAULT_ENCRYPTION_KEY", randomBytes(33).toString("hex")],
  ["VAULT_ENCRYPTION_KEY", `${makeRootKey().slice(0, -1)}g`],
  ["VAULT_ENCRYPTION_KEY", base64(31)],
  ["VAULT_ENCRYPTION_KEY", base64(33)],
  ["VAULT_ENCRYPTION_KEY", `${makeRootKey()},${makeRootKey()}`],
  ["VAULT_PREVIOUS_KEYS", "not-a-key-at-all"],
  ["VAULT_PREVIOUS_KEYS", `${makeRootKey()},not-a-key-at-all`],
  ["VAULT_PREVIOUS_KEYS", `${makeRootKey()};${makeRootKey()}`],
  ["GRANT_JWKS", "not JSON at all"],
  ["GRANT_JWKS", "[]"],
  ["GRANT_JWKS", "{}"],
  ["GRANT_JWKS", '{"keys":{}}'],
  ["GRANT_JWKS", () => jwks(129)],
  ["GRANT_JWKS", () => jwks(2).replace("{", `{${" ".repeat(64 * 1024)}`)],
  ["GRANT_JWKS_URL", "not a url"],
  ["GRANT_JWKS_URL", "ftp://issuer.test/jwks.json"],
  ["GRANT_JWKS_URL", "http://issuer.test/jwks.json"],
  ["GRANT_JWKS_URL", "https://name:password@issuer.test/"],
  ["ADMIN_API_KEY", "too-short-a-key"],
  ["SIGNUP", "perhaps"],
  ["RATE_LIMITS", "perhaps"],
  ["CORS_ALLOWED_ORIGINS", "portal.test:8443"],
  ["CORS_ALLOWED_ORIGINS", "https://portal.test/path"],
  ["CORS_ALLOWED_ORIGINS", "https://portal.test https://b.portal.test"],
];

describe("a bad setting", () => {
  let good;
  before(() => {
    good = {
      GRANT_JWKS_URL: undefined,
      VAULT_PREVIOUS_KEYS: undefined,
      CORS_ALLOWED_ORIGINS: undefined,
      RATE_LIMITS: undefined,
      ...vault.worker.settings,
    };
  });
  after(() => vault.restart(good));

  for (const [setting, given] of bad) {
    const name = typeof given === "function" ? "too large" : given?.replace(/[0-9a-zA-Z+/=]{40,}/g, (key) => `(${key.length})`);
    test(`${setting}=${name} is named on /health and in the log, its value nowhere`, async () => {
      const value = typeof given === "function" ? given() : given;
      const alone = setting === "GRANT_JWKS_URL" ? { GRANT_JWKS: undefined } : {};
      await vault.restart({ ...good, ...alone, [setting]: value });
      const health = assertStatus(await vault.send("GET", "/health"), 503);
      assert.equal(health.body.status, "misconfigured");
      assert.equal(typeof health.body.version, "string");
      assert.deepEqual(
        health.body.problems.map((problem) => problem.setting),
        [setting],
      );
      assert.deepEqual(Object.keys(health.body).sort(), ["problems", "status", "version"]);
      const line = await vault.worker.logLine(`about ${setting}`, (logged) => JSON.stringify(logged).includes(setting));
      if (value?.length > 8) {
        for (const part of value.split(/[,;]/)) {
          assert.ok(!health.text.includes(part), `not on /health: ${health.text}`);
          assert.ok(!JSON.stringify(line).includes(part), `not in the log: ${JSON.stringify(line)}`);
        }
      }
      assertStatus(await vault.send("HEAD", "/health"), 503);
      for (const [method, path] of [
        ["GET", "/v1/me"],
        ["POST", "/v1/signup"],
        ["POST", "/v1/vault/credentials/exchange"],
        ["GET", "/v1/admin/developers"],
      ]) {
        const answer = assertStatus(await vault.send(method, path), 503);
        assert.ok(!answer.text.includes(setting), "only /health names it");
      }
    });
  }

  test("comes with all the others", async () => {
    await vault.restart({ ...good, SIGNUP: "perhaps", VAULT_ENCRYPTION_KEY: undefined, ADMIN_API_KEY: "short" });
    const { problems } = assertStatus(await vault.send("GET", "/health"), 503).body;
    assert.deepEqual(problems.map(({ setting }) => setting).sort(), ["ADMIN_API_KEY", "SIGNUP", "VAULT_ENCRYPTION_KEY"]);
    for (const { message } of problems) assert.ok(message.length > 10, `says what it must be: ${message}`);
  });
});

test("without the KV namespace /health names VAULT", async () => {
  const unbound = await new Vault({ kv: "none" }).start();
  try {
    const health = assertStatus(await unbound.send("GET", "/health"), 503);
    assert.deepEqual(
      health.body.problems.map(({ setting }) => setting),
      ["VAULT"],
    );
    assertStatus(await unbound.send("GET", "/v1/me", { bearer: "gx_live_x" }), 503);
    await unbound.assertNothingLeaked();
  } finally {
    await unbound.stop();
  }
});

test("with good settings /health is ok, and tells whether sign-up is open", async () => {
  const { body } = assertStatus(await vault.send("GET", "/health"), 200);
  assert.equal(body.status, "ok");
  assert.match(body.version, /^\d+\.\d+\.\d+/);
  assert.equal(body.signup, "open");
  assert.deepEqual(Object.keys(body).sort(), ["rateLimits", "signup", "status", "unboundRateLimits", "version"]);
});

test("the least there can be is an encryption key and a namespace", async () => {
  const { VAULT_ENCRYPTION_KEY, ...others } = vault.worker.settings;
  const none = Object.fromEntries(Object.keys(others).map((name) => [name, undefined]));
  await vault.restart(none);
  assert.equal(assertStatus(await vault.send("GET", "/health"), 200).body.signup, "closed");
  await vault.restart(others);
});

describe("a change of the encryption key", () => {
  let developer, principal, id, shown;
  const oldKey = randomBytes(32);
  const newKey = randomBytes(32);
  const exchange = async () => vault.exchange(await developer.grant({ principal, scopes: ["*"] }), "github");

  before(async () => {
    await vault.restart({ VAULT_ENCRYPTION_KEY: oldKey.toString("hex") });
    developer = await vault.newDeveloper();
    principal = unique("user");
    const stored = await developer.store({
      principalId: principal,
      service: "github",
      accessToken: unique("gho"),
      metadata: { a: 1 },
    });
    ({ id } = assertStatus(stored, 201).body);
    shown = (await developer.get(id)).body;
  });

  const opens = async () => {
    assert.deepEqual(assertStatus(await developer.get(id), 200).body, shown);
    assert.deepEqual((await developer.list()).body, { credentials: [shown] });
    assertStatus(await exchange(), 200);
  };

  test("from hexadecimal to base64 is none", async () => {
    await vault.restart({ VAULT_ENCRYPTION_KEY: oldKey.toString("base64") });
    await opens();
    await vault.restart({ VAULT_ENCRYPTION_KEY: oldKey.toString("hex").toUpperCase() });
    await opens();
  });

  test("without the old one in VAULT_PREVIOUS_KEYS opens nothing, and the log says of what", async () => {
    await vault.restart({ VAULT_ENCRYPTION_KEY: newKey.toString("base64") });
    const answer = assertStatus(await exchange(), 500);
    const line = await vault.worker.logLineOf(answer.body.requestId);
    assert.ok(JSON.stringify(line).includes(id), `the log names ${id}: ${JSON.stringify(line)}`);
    assert.ok(line.reason, JSON.stringify(line));
    assert.ok(!answer.text.includes(id) && !/key/i.test(answer.body.message), `the caller is told nothing: ${answer.text}`);
  });

  test("with the old one among VAULT_PREVIOUS_KEYS opens everything, and new records need the new one only", async () => {
    await vault.restart({ VAULT_PREVIOUS_KEYS: `${makeRootKey()}, ${oldKey.toString("hex")}` });
    await opens();
    const { accessToken } = (await exchange()).body;
    assertStatus(await developer.store({ principalId: principal, service: "github", accessToken }), 201);
    assertStatus(await developer.get(id), 200);
    const renewed = assertStatus(await developer.send("POST", "/v1/keys/rotate"), 200).body;
    developer.apiKey = vault.secrets.add("an API key", renewed.apiKey);

    await vault.restart({ VAULT_PREVIOUS_KEYS: undefined });
    const after = assertStatus(await developer.get(id), 200).body;
    assert.equal(after.createdAt, shown.createdAt);
    assertStatus(await exchange(), 200);
  });
});
