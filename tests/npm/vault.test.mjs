// The vault in process: what the calls do, what they refuse and how, with any storage.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { installed } from "./support/package.mjs";

const { Vault, MemoryKV, VaultError, issuer, jwks, signGrant } = await installed();
const KEY = "42".repeat(32);
const grants = { issuer, jwks };
const open = (options = {}) => new Vault({ kv: new MemoryKV(), encryptionKey: KEY, grants, log: () => {}, ...options });
const github = { principalId: "user_1", service: "github", accessToken: "gho_1" };
const grantFor = (scopes = ["github:read"], developerId = "dev_1") => signGrant({ developerId, principalId: "user_1", scopes });
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

const isVaultError = (code, status) => (error) => {
  assert.ok(error instanceof VaultError, `a VaultError: ${error}`);
  assert.ok(error instanceof Error);
  assert.equal(error.name, "VaultError");
  assert.equal(error.code, code, String(error));
  assert.equal(error.status, status);
  return true;
};
const isTypeError = (name) => (error) => {
  assert.ok(error instanceof TypeError, `a TypeError: ${error}`);
  assert.match(error.message, new RegExp(`^${name.replaceAll(/[.[\]]/g, "\\$&")} `), error.message);
  return true;
};

test("store replaces, list pages, get shows, delete removes", async () => {
  const developer = open().developer("dev_1");
  const first = await developer.store({ ...github, refreshToken: "ghr_1", tokenExpiresAt: new Date(1_900_000_000_000), metadata: { a: [1, "ü"] } });
  const shown = await developer.get(first.id);
  assert.deepEqual(shown.metadata, { a: [1, "ü"] });
  assert.equal(shown.tokenExpiresAt, "2030-03-17T17:46:40.000Z");
  const again = await developer.store({ ...github, service: "GitHub", tokenExpiresAt: null, metadata: null });
  assert.deepEqual([again.id, again.createdAt, again.service], [first.id, first.createdAt, "GitHub"]);
  assert.deepEqual((await developer.get(first.id)).metadata, {});
  await developer.store({ ...github, service: "slack" });
  const page = await developer.list({ limit: 1 });
  assert.equal(page.credentials.length, 1);
  const rest = await developer.list({ limit: 1, cursor: page.nextCursor });
  assert.equal("nextCursor" in rest, false);
  assert.deepEqual([page, rest].map(({ credentials }) => credentials[0].service).sort(), ["GitHub", "slack"]);
  assert.equal((await developer.list({ principalId: "user_2" })).credentials.length, 0);
  assert.doesNotMatch(JSON.stringify([shown, page, rest]), /gho_1|ghr_1/);
  await developer.delete(first.id);
  await assert.rejects(developer.get(first.id), isVaultError("NOT_FOUND", 404));
});

test("developers are kept apart", async () => {
  const vault = open();
  const { id } = await vault.developer("dev_1").store(github);
  await assert.rejects(vault.developer("dev_2").get(id), isVaultError("NOT_FOUND", 404));
  assert.deepEqual(await vault.developer("dev_2").list(), { credentials: [] });
  await assert.rejects(vault.exchange(await grantFor(["*"], "dev_2"), { service: "github" }), isVaultError("NOT_FOUND", 404));
});

test("a revoked token or grant exchanges no more", async () => {
  const vault = open();
  const developer = vault.developer("dev_1");
  await developer.store(github);
  for (const revoke of [
    (claims) => developer.revokeToken(claims.jti),
    (claims) => developer.revokeGrant(claims["urn:grantex:grant"].grant_id),
  ]) {
    const token = await grantFor();
    assert.equal((await vault.exchange(token, { service: "github" })).accessToken, "gho_1");
    await revoke(claimsOf(token));
    await assert.rejects(vault.exchange(token, { service: "github" }), (error) => isVaultError("UNAUTHORIZED", 401)(error) && error.cause === "revoked");
  }
});

test("a reference stands for the credential until its grant is revoked", async () => {
  const vault = open();
  const developer = vault.developer("dev_1");
  await developer.store(github);
  const token = await grantFor();
  const { credentialRef, referenceExpiresAt, ...rest } = await vault.exchange(token, { service: "github", delivery: "reference" });
  assert.match(credentialRef, /^vref_/);
  assert.ok(Date.parse(referenceExpiresAt) <= Date.now() + 300_000);
  const { accessToken, ...shown } = await developer.resolveReference(credentialRef);
  assert.equal(accessToken, "gho_1");
  assert.deepEqual(rest, shown);
  await assert.rejects(vault.developer("dev_2").resolveReference(credentialRef), isVaultError("NOT_FOUND", 404));
  await developer.revokeToken(claimsOf(token).jti);
  await assert.rejects(developer.resolveReference(credentialRef), isVaultError("FORBIDDEN", 403));
});

test("100 exchanges at once on one vault", async () => {
  const vault = open();
  const developers = Array.from({ length: 10 }, (_, index) => `dev_${index}`);
  await Promise.all(developers.map((id) => vault.developer(id).store({ ...github, accessToken: `gho_${id}` })));
  const wanted = Array.from({ length: 100 }, (_, index) => developers[index % developers.length]);
  const tokens = await Promise.all(wanted.map((id) => grantFor(["github:read"], id)));
  const found = await Promise.all(tokens.map((token) => vault.exchange(token, { service: "github" })));
  assert.deepEqual(found.map(({ accessToken }) => accessToken), wanted.map((id) => `gho_${id}`));
});

test("calls before anything is loaded work, and all at once", async () => {
  const fresh = await installed();
  const vault = new fresh.Vault({ kv: new fresh.MemoryKV(), encryptionKey: KEY, grants: { issuer: fresh.issuer, jwks: fresh.jwks } });
  const stored = await Promise.all(["a", "b", "c"].map((service) => vault.developer("dev_1").store({ ...github, service })));
  assert.equal(new Set(stored.map(({ id }) => id)).size, 3);
});

test("a previous key still opens, another doesn't", async () => {
  const kv = new MemoryKV();
  const { id } = await open({ kv }).developer("dev_1").store(github);
  const newer = { kv, encryptionKey: new Uint8Array(32).fill(9) };
  assert.equal((await open({ ...newer, previousKeys: [KEY] }).developer("dev_1").get(id)).service, "github");
  await assert.rejects(open(newer).developer("dev_1").get(id), (error) => isVaultError("INTERNAL_ERROR", 500)(error) && /sealed by key/.test(error.cause) && error.cause.includes(id));
});

test("keys are bytes, hexadecimal or base64, and mean the same", async () => {
  const kv = new MemoryKV();
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index);
  const { id } = await open({ kv, encryptionKey: bytes }).developer("dev_1").store(github);
  bytes.fill(0); // the vault has a copy
  const same = Buffer.from([...Array(32).keys()]);
  for (const encryptionKey of [same, same.toString("hex"), same.toString("hex").toUpperCase(), same.toString("base64")]) {
    assert.equal((await open({ kv, encryptionKey }).developer("dev_1").get(id)).service, "github");
  }
});

// ---------------------------------------------------------------------------------------------------
// Storage

/** A namespace that notes its calls and can lack or break things. */
function odd(methods) {
  const kv = new MemoryKV();
  const calls = [];
  const note = (name) => (...args) => {
    calls.push([name, args[0]]);
    return methods[name] ? methods[name](kv, ...args) : kv[name](...args);
  };
  return { calls, get: note("get"), put: note("put"), delete: note("delete"), list: note("list") };
}

async function exchangeOver(kv, times = 1) {
  const vault = open({ kv });
  await vault.developer("dev_1").store(github);
  kv.calls.length = 0;
  for (let index = 0; index < times; index++) assert.equal((await vault.exchange(await grantFor(), { service: "github" })).accessToken, "gho_1");
  return kv.calls.filter(([name]) => name === "get").map(([, key]) => (Array.isArray(key) ? `${key.length} keys` : "one key"));
}

test("an exchange is one bulk read", async () => {
  assert.deepEqual(await exchangeOver(odd({}), 2), ["3 keys", "3 keys"]);
});

test("a namespace without bulk reads is found out once", async () => {
  const one = "one key";
  const three = [one, one, one];
  for (const get of [
    (kv, key) => (Array.isArray(key) ? null : kv.get(key)),
    (kv, key) => (Array.isArray(key) ? Promise.reject(new TypeError("a string, please")) : kv.get(key)),
    (kv, key) => {
      if (Array.isArray(key)) throw new TypeError("a string, please");
      return kv.get(key);
    },
  ]) assert.deepEqual(await exchangeOver(odd({ get }), 2), ["3 keys", ...three, ...three]);
});

test("storage that fails is a 503, whatever it throws", async () => {
  const fails = {
    "an error": () => Promise.reject(new Error("KV GET failed: 500")),
    "at once": () => {
      throw new Error("down");
    },
    "no error": () => Promise.reject("down"),
    "429": () => Promise.reject(new Error("KV PUT failed: 429 Too Many Requests")),
  };
  for (const [what, fail] of Object.entries(fails)) {
    const broken = open({ kv: { get: fail, put: fail, delete: fail, list: fail } });
    const developer = broken.developer("dev_1");
    const token = await grantFor();
    for (const call of [
      () => developer.store(github),
      () => developer.list(),
      () => developer.get(`vault_${"0".repeat(26)}`),
      () => developer.revokeToken("jti"),
      () => broken.exchange(token, { service: "github" }),
    ]) await assert.rejects(call(), isVaultError("SERVICE_UNAVAILABLE", 503), what);
  }
  // A bulk read that fails once is no sign that there are none.
  let isDown = false;
  const kv = odd({ get: (inner, key) => (isDown ? Promise.reject(new Error("down")) : inner.get(key)) });
  const vault = open({ kv });
  await vault.developer("dev_1").store(github);
  const exchange = async () => vault.exchange(await grantFor(), { service: "github" });
  isDown = true;
  await assert.rejects(exchange(), isVaultError("SERVICE_UNAVAILABLE", 503));
  isDown = false;
  await exchange();
  // Nor, where they are known to work, a reason to ask for each key by itself.
  kv.calls.length = 0;
  isDown = true;
  await assert.rejects(exchange(), isVaultError("SERVICE_UNAVAILABLE", 503));
  assert.deepEqual(kv.calls.map(([, key]) => key.length), [3]);
  isDown = false;
  kv.calls.length = 0;
  await vault.exchange(await grantFor(), { service: "github" });
  assert.deepEqual(kv.calls.map(([, key]) => key.length), [3]);
});

test("methods that answer at once, without a promise, will do", async () => {
  const entries = new Map();
  const kv = {
    get: (key) => entries.get(key) ?? null,
    put: (key, value, { metadata } = {}) => void entries.set(key, value) ?? metadata,
    delete: (key) => void entries.delete(key),
    list: () => ({ keys: [], list_complete: true }),
  };
  const vault = open({ kv });
  const { id } = await vault.developer("dev_1").store(github);
  assert.equal((await vault.exchange(await grantFor(), { service: "github" })).accessToken, "gho_1");
  await vault.developer("dev_1").delete(id);
  assert.equal(entries.size, 0);
});

test("a damaged record is an error that names it, and no part of it", async () => {
  const kv = new MemoryKV();
  const vault = open({ kv });
  const { id } = await vault.developer("dev_1").store(github);
  const { keys: [{ name, metadata }] } = await kv.list({ prefix: "cred:" });
  const value = await kv.get(name);
  for (const changed of ["", "{}", value.slice(0, -1), value.replace(/.$/, (last) => (last === "A" ? "B" : "A")), "\u0000"]) {
    await kv.put(name, changed, { metadata });
    await assert.rejects(vault.exchange(await grantFor(), { service: "github" }), (error) => isVaultError("INTERNAL_ERROR", 500)(error) && error.cause.includes(id));
  }
});

// ---------------------------------------------------------------------------------------------------
// The issuer's keys

test("keys are fetched from jwksUrl, once; a redirect or a web page is no key set", async () => {
  let fetches = 0;
  const server = createServer((request, response) => {
    fetches++;
    if (request.url === "/jwks") return response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(jwks));
    if (request.url === "/moved") return response.writeHead(302, { Location: "/jwks" }).end();
    return response.writeHead(200, { "Content-Type": "text/html" }).end(JSON.stringify(jwks));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  const at = (path) => open({ grants: { issuer, jwksUrl: `http://127.0.0.1:${server.address().port}${path}` } });
  const vault = at("/jwks");
  await vault.developer("dev_1").store(github);
  await vault.exchange(await grantFor(), { service: "github" });
  await vault.exchange(await grantFor(), { service: "github" });
  assert.equal(fetches, 1);
  for (const path of ["/moved", "/page"]) await assert.rejects(at(path).exchange(await grantFor(), { service: "github" }), isVaultError("SERVICE_UNAVAILABLE", 503));
});

// ---------------------------------------------------------------------------------------------------
// What goes wrong

const good = { kv: new MemoryKV(), encryptionKey: KEY, grants };

test("new Vault names the option that is at fault", () => {
  const bad = {
    options: [undefined, null, 5, "x", []],
    kv: [undefined, null, {}, "kv", { get() {}, put() {}, delete() {} }],
    encryptionKey: [undefined, null, "", "password", 5, new Uint8Array(31), KEY.slice(1), `${KEY}00`, new Array(32).fill(1), "g".repeat(64), `${"A".repeat(42)}B=`],
    previousKeys: ["x", KEY, 5, {}],
    "previousKeys[1]": [[KEY, "x"]],
    grants: [undefined, null, "x", [], { issuer }, { issuer, jwks, jwksUrl: "https://issuer.example/" }],
    "grants.issuer": [{ jwks }, { issuer: 5, jwks }, { issuer: "", jwks }, { issuer: " ", jwks }],
    "grants.audience": [{ issuer, jwks, audience: 5 }, { issuer, jwks, audience: "" }],
    "grants.jwks": [{ issuer, jwks: "{}" }, { issuer, jwks: {} }, { issuer, jwks: { keys: {} } }, { issuer, jwks: { keys: [1n] } }],
    "grants.jwksUrl": [{ issuer, jwksUrl: 5 }, { issuer, jwksUrl: "not a URL" }],
    signup: [true, "yes", 1],
    adminApiKey: [5, "", "with space", "ü"],
    corsAllowedOrigins: ["https://a.example", [5]],
    log: ["console", {}],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const option = name.split(/[.[]/)[0];
      const options = name === "options" ? value : { ...good, [option]: value };
      assert.throws(() => new Vault(options), isTypeError(name), `${name}: ${String(value)}`);
    }
  }
  const { stack } = (() => {
    try {
      return new Vault({ ...good, encryptionKey: "hunter2-is-no-key" });
    } catch (error) {
      return error;
    }
  })();
  assert.doesNotMatch(stack, /hunter2/);
});

test("options that can't be are said at the first call, without their value", async () => {
  const bad = {
    "grants.jwks": { grants: { issuer, jwks: { keys: [] } } },
    "grants.jwksUrl": { grants: { issuer, jwksUrl: "http://issuer.example/jwks-unencrypted" } },
    adminApiKey: { adminApiKey: "short-secret" },
    corsAllowedOrigins: { corsAllowedOrigins: ["https://app.example/with-a-path"] },
  };
  for (const [name, options] of Object.entries(bad)) {
    const vault = open(options);
    for (const call of [() => vault.developer("dev_1").list(), () => vault.exchange("x", { service: "github" })]) {
      await assert.rejects(call(), (error) => {
        isVaultError("MISCONFIGURED", 503)(error);
        assert.ok(error.message.startsWith(`${name} `), error.message);
        assert.doesNotMatch(`${error.message}${error.cause}`, /short-secret|unencrypted|with-a-path/);
        return true;
      });
    }
    const health = await vault.fetch(new Request("https://vault/health"));
    assert.equal(health.status, 503);
    assert.deepEqual((await health.json()).problems.map(({ setting }) => setting), [name]);
  }
});

test("every wrong argument is a TypeError that names it", async () => {
  const vault = open();
  const developer = vault.developer("dev_1");
  for (const id of [undefined, null, 5, {}]) assert.throws(() => vault.developer(id), isTypeError("developerId"));
  const cycle = {};
  cycle.cycle = cycle;
  const calls = [
    ["params", () => developer.store()],
    ["params", () => developer.store([])],
    ["params", () => developer.store("x")],
    ["principalId", () => developer.store({ ...github, principalId: undefined })],
    ["principalId", () => developer.store({ ...github, principalId: 5 })],
    ["service", () => developer.store({ ...github, service: null })],
    ["accessToken", () => developer.store({ ...github, accessToken: Buffer.from("x") })],
    ["refreshToken", () => developer.store({ ...github, refreshToken: 5 })],
    ["credentialType", () => developer.store({ ...github, credentialType: {} })],
    ["tokenExpiresAt", () => developer.store({ ...github, tokenExpiresAt: 1_900_000_000 })],
    ["tokenExpiresAt", () => developer.store({ ...github, tokenExpiresAt: new Date("soon") })],
    ["metadata", () => developer.store({ ...github, metadata: [] })],
    ["metadata", () => developer.store({ ...github, metadata: "{}" })],
    ["metadata", () => developer.store({ ...github, metadata: { n: 1n } })],
    ["metadata", () => developer.store({ ...github, metadata: cycle })],
    ["params", () => developer.list(null)],
    ["principalId", () => developer.list({ principalId: 5 })],
    ["principalId", () => developer.list({ principalId: "\ud800" })],
    ["service", () => developer.list({ service: [] })],
    ["limit", () => developer.list({ limit: "10" })],
    ["cursor", () => developer.list({ cursor: 5 })],
    ["credentialId", () => developer.get()],
    ["credentialId", () => developer.get({})],
    ["credentialId", () => developer.delete(5)],
    ["tokenId", () => developer.revokeToken()],
    ["tokenId", () => developer.revokeToken("\udfff")],
    ["grantId", () => developer.revokeGrant(5)],
    ["grantToken", () => vault.exchange()],
    ["grantToken", () => vault.exchange({}, { service: "github" })],
    ["params", () => vault.exchange("x")],
    ["service", () => vault.exchange("x", {})],
    ["service", () => vault.exchange("x", { service: 5 })],
    ["request", () => vault.fetch()],
    ["request", () => vault.fetch("https://vault/health")],
    ["request", () => vault.fetch(new URL("https://vault/health"))],
  ];
  for (const [name, call] of calls) await assert.rejects(call(), isTypeError(name), call.toString());
});

test("every value that can't be is a VaultError with the contract's code and message", async () => {
  const vault = open();
  const developer = vault.developer("dev_1");
  await developer.store(github);
  const token = await grantFor();
  const expired = (await signGrant({ developerId: "dev_1", principalId: "user_1", scopes: ["*"] })).replace(/\.[^.]+\./, ".e30.");
  const calls = [
    ["BAD_REQUEST", 400, /^developerId /, () => vault.developer("").list()],
    ["BAD_REQUEST", 400, /^developerId /, () => vault.developer("../x").store(github)],
    ["BAD_REQUEST", 400, /^developerId /, () => vault.developer("dev:1").revokeToken("x")],
    ["BAD_REQUEST", 400, /^principalId /, () => developer.store({ ...github, principalId: "" })],
    ["BAD_REQUEST", 400, /^principalId /, () => developer.store({ ...github, principalId: "x".repeat(257) })],
    ["BAD_REQUEST", 400, /^principalId /, () => developer.store({ ...github, principalId: "\ud800" })],
    ["BAD_REQUEST", 400, /^service /, () => developer.store({ ...github, service: "a b" })],
    ["BAD_REQUEST", 400, /^accessToken /, () => developer.store({ ...github, accessToken: "" })],
    ["BAD_REQUEST", 400, /^accessToken /, () => developer.store({ ...github, accessToken: "x".repeat(65_537) })],
    ["BAD_REQUEST", 400, /^tokenExpiresAt /, () => developer.store({ ...github, tokenExpiresAt: "tomorrow" })],
    ["BAD_REQUEST", 400, /^metadata /, () => developer.store({ ...github, metadata: { a: "x".repeat(16_384) } })],
    ["BAD_REQUEST", 400, /^limit /, () => developer.list({ limit: 0 })],
    ["BAD_REQUEST", 400, /^limit /, () => developer.list({ limit: 1.5 })],
    ["BAD_REQUEST", 400, /^limit /, () => developer.list({ limit: NaN })],
    ["BAD_REQUEST", 400, /^cursor /, () => developer.list({ cursor: "x" })],
    ["BAD_REQUEST", 400, /^jti /, () => developer.revokeToken("")],
    ["BAD_REQUEST", 400, /^grantId /, () => developer.revokeGrant("x".repeat(513))],
    ["NOT_FOUND", 404, /./, () => developer.get("")],
    ["NOT_FOUND", 404, /./, () => developer.get("vault_x")],
    ["NOT_FOUND", 404, /./, () => developer.delete(`vault_${"0".repeat(26)}`)],
    ["NOT_FOUND", 404, /./, () => vault.exchange(grantForSlack, { service: "slack" })],
    ["UNAUTHORIZED", 401, /./, () => vault.exchange("", { service: "github" })],
    ["UNAUTHORIZED", 401, /./, () => vault.exchange("a.b.c", { service: "github" })],
    ["UNAUTHORIZED", 401, /./, () => vault.exchange(`${token}x`, { service: "github" })],
    ["UNAUTHORIZED", 401, /./, () => vault.exchange(expired, { service: "github" })],
    ["UNAUTHORIZED", 401, /./, () => vault.exchange("x".repeat(20_000), { service: "github" })],
    ["FORBIDDEN", 403, /./, () => vault.exchange(token, { service: "slack" })],
    ["BAD_REQUEST", 400, /^service /, () => vault.exchange(token, { service: "" })],
  ];
  const grantForSlack = await grantFor(["slack:read"]);
  const ids = new Set();
  for (const [code, status, message, call] of calls) {
    await assert.rejects(call(), (error) => {
      isVaultError(code, status)(error);
      assert.match(error.message, message);
      assert.match(error.requestId, /^req_[0-9A-HJKMNP-TV-Z]{26}$/);
      ids.add(error.requestId);
      assert.deepEqual(Object.keys(error.toJSON()), ["message", "code", "requestId"]);
      return true;
    }, call.toString());
  }
  assert.equal(ids.size, calls.length);
});

test("a failed exchange says nothing of the secrets that it met", async () => {
  const vault = open();
  await vault.developer("dev_1").store({ ...github, accessToken: "gho_verysecret" });
  for (const token of [await grantFor(["slack:read"]), `${await grantFor()}x`]) {
    const error = await vault.exchange(token, { service: "github" }).catch((thrown) => thrown);
    const told = `${error.stack} ${JSON.stringify(error)} ${error.cause}`;
    assert.ok(!told.includes("gho_verysecret") && !told.includes(token) && !told.includes(token.split(".")[2]) && !told.includes(KEY));
  }
});

// ---------------------------------------------------------------------------------------------------
// The HTTP contract

test("fetch serves the contract, handed over as it is", async () => {
  const { fetch } = open({ signup: "open", adminApiKey: "a".repeat(32), corsAllowedOrigins: ["https://app.example"] });
  const send = async (method, path, { bearer, json, headers } = {}) => {
    const init = { method, headers: { ...(bearer && { Authorization: `Bearer ${bearer}` }), ...(json && { "Content-Type": "application/json" }), ...headers }, body: json && JSON.stringify(json) };
    const response = await fetch(new Request(`https://vault.example${path}`, init));
    const text = await response.text();
    assert.match(response.headers.get("X-Request-Id"), /^req_/);
    assert.equal(response.headers.get("Cache-Control"), "no-store");
    return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
  };
  const { body: { apiKey, developerId } } = await send("POST", "/v1/signup", { json: { name: "Acme" } });
  const stored = await send("POST", "/v1/vault/credentials", { bearer: apiKey, json: github });
  assert.equal(stored.status, 201);
  const exchanged = await send("POST", "/v1/vault/credentials/exchange", { bearer: await grantFor(["*"], developerId), json: { service: "github" } });
  assert.equal(exchanged.body.accessToken, "gho_1");
  assert.equal((await send("GET", "/v1/vault/credentials?limit=5", { bearer: apiKey })).body.credentials.length, 1);
  assert.equal((await send("DELETE", `/v1/vault/credentials/${stored.body.id}`, { bearer: apiKey })).status, 204);
  assert.equal((await send("GET", "/v1/admin/developers", { bearer: "a".repeat(32) })).body.developers.length, 1);
  assert.equal((await send("OPTIONS", "/v1/me", { headers: { Origin: "https://app.example" } })).status, 204);
  assert.equal((await send("HEAD", "/health")).body, "");
  assert.equal((await send("GET", "/index.html")).status, 404);
  assert.equal((await send("PUT", "/v1/me")).headers.get("Allow"), "GET, HEAD");
  assert.equal((await send("POST", "/v1/vault/credentials", { bearer: apiKey, json: { ...github, metadata: { a: "x".repeat(300_000) } } })).status, 413);
  assert.equal((await send("POST", "/v1/vault/credentials", { bearer: apiKey, json: { ...github, principalId: 5 } })).body.message, "principalId must be a string");
  const error = await send("GET", "/v1/me", { bearer: "gx_live_wrong" });
  assert.equal(error.body.requestId, error.headers.get("X-Request-Id"));
});

test("fetch logs what it does and refuses, under the answer's id", async () => {
  const log = [];
  const vault = open({ log: (entry) => log.push(entry), signup: "open" });
  const response = await vault.fetch(new Request("https://vault/v1/me"));
  const { time, ...refused } = log[0];
  assert.match(time, /^\d{4}-.*Z$/);
  assert.deepEqual(refused, {
    level: "warn",
    requestId: response.headers.get("X-Request-Id"),
    event: "auth.failed",
    outcome: "refused",
    status: 401,
    call: "GET /v1/me",
    reason: "no bearer token",
  });
  await vault.fetch(new Request("https://vault/health"));
  assert.equal(log.length, 1);
  const headers = { "Content-Type": "application/json" };
  await vault.fetch(new Request("https://vault/v1/signup", { method: "POST", headers, body: '{"name":"Acme"}' }));
  assert.deepEqual([log[1].level, log[1].event, log[1].actor], ["info", "account.created", "developer"]);
  assert.equal(log.length, 2);
});
