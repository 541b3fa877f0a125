// Proves that nothing secret is left in the Worker's WebAssembly memory once its request is over, where
// a bug in a later one could read it: not an upstream token, an API key, a grant token or what a caller
// sent. Kept on purpose, and once: the root key, the operator's key.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { makeRootKey, unique } from "./harness.mjs";
import { Issuer } from "./support/grants.mjs";
import { mapNamespace, workerInNode } from "./support/in-node.mjs";
import * as pieces from "../support/pieces.mjs";
import { Secrets } from "./support/secrets.mjs";

const secrets = new Secrets();
const issuer = await Issuer.create(secrets);
const rootKey = makeRootKey();
const previousKey = makeRootKey();
const adminKey = randomBytes(32).toString("base64url");
const env = {
  ...issuer.settings,
  VAULT: mapNamespace(),
  VAULT_ENCRYPTION_KEY: rootKey,
  VAULT_PREVIOUS_KEYS: previousKey,
  ADMIN_API_KEY: adminKey,
  SIGNUP: "open",
};
const worker = await workerInNode(env);

async function send(method, path, bearer, json) {
  const headers = { ...(bearer && { Authorization: `Bearer ${bearer}` }), ...(json && { "Content-Type": "application/json" }) };
  const body = json === undefined ? undefined : typeof json === "string" ? json : JSON.stringify(json);
  if (body) headers["Content-Length"] = String(Buffer.byteLength(body));
  const response = await worker.fetch(new Request(`http://vault.test${path}`, { method, headers, body }));
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : undefined };
}

const placesOf = (text) => pieces.placesOf(worker.memory(), text);

/** Makes calls, and fails where one of what they held is in memory afterwards. */
async function leavesNothing(what, texts) {
  const left = Object.entries(texts).flatMap(([name, text]) => (placesOf(text).length > 0 ? [`${name}, ${placesOf(text).length} times`] : []));
  assert.deepEqual(left, [], `left by ${what}`);
}

const developer = (await send("POST", "/v1/signup", undefined, { name: unique("Developer") })).body;
const principalId = unique("user");
const store = (more) => send("POST", "/v1/vault/credentials", developer.apiKey, { principalId, service: "github", ...more });
const newGrant = () => issuer.grant({ developerId: developer.developerId, principal: principalId, scopes: ["*"] });

test("the search finds what is there", async () => {
  assert.equal((await send("GET", "/v1/me", developer.apiKey)).status, 200);
  assert.ok(placesOf(developer.developerId).length > 0);
});

test("a sign-up leaves no API key", () => leavesNothing("a sign-up", { "the API key": developer.apiKey }));

test("a store leaves no token", async () => {
  const sent = { accessToken: unique("gho"), refreshToken: unique("ghr") };
  assert.equal((await store(sent)).status, 201);
  await leavesNothing("a store", { ...sent, "the API key": developer.apiKey });
});

test("a store of a token with escapes leaves nothing of it", async () => {
  const [before, after] = [unique("gho"), unique("end")];
  const body = `{"principalId":"${principalId}","service":"gitlab","accessToken":"${before}\\/${after}","refreshToken":"${after}\\n${before}"}`;
  assert.equal((await send("POST", "/v1/vault/credentials", developer.apiKey, body)).status, 201);
  await leavesNothing("a store", { before, after });
  const exchanged = await send("POST", "/v1/vault/credentials/exchange", await newGrant(), { service: "gitlab" });
  assert.equal(exchanged.body.accessToken, `${before}/${after}`);
  await leavesNothing("an exchange", { before, after });
});

test("a refused store leaves no token", async () => {
  const accessToken = unique("gho");
  for (const more of [{ service: "" }, { metadata: [] }, { refreshToken: 5 }, { tokenExpiresAt: "soon" }]) {
    assert.equal((await store({ accessToken, ...more })).status, 400);
  }
  assert.equal((await send("POST", "/v1/vault/credentials", developer.apiKey, `{"accessToken":"${accessToken}`)).status, 400);
  await leavesNothing("a refused store", { accessToken });
});

test("an exchange leaves neither token", async () => {
  const sent = { accessToken: unique("gho"), refreshToken: unique("ghr") };
  assert.equal((await store(sent)).status, 201);
  const grant = await newGrant();
  for (let turn = 0; turn < 3; turn += 1) {
    const answer = await send("POST", "/v1/vault/credentials/exchange", grant, { service: "github" });
    assert.equal(answer.body?.accessToken, sent.accessToken);
  }
  const signature = grant.split(".")[2];
  await leavesNothing("an exchange", { ...sent, grant, signature, "the signature's bytes": Buffer.from(signature, "base64url") });
});

test("a reference and its resolution leave neither it nor the token", async () => {
  const sent = { accessToken: unique("gho"), refreshToken: unique("ghr") };
  assert.equal((await store(sent)).status, 201);
  const grant = await newGrant();
  const { credentialRef } = (await send("POST", "/v1/vault/credentials/exchange", grant, { service: "github", delivery: "reference" })).body;
  await leavesNothing("an exchange for a reference", { ...sent, grant, credentialRef });
  const resolved = await send("POST", "/v1/vault/references/resolve", developer.apiKey, { credentialRef });
  assert.equal(resolved.body.accessToken, sent.accessToken);
  await leavesNothing("a resolution", { ...sent, credentialRef, "the API key": developer.apiKey });
});

test("a refused exchange leaves no grant token", async () => {
  const grant = `${await newGrant()}AAAA`;
  assert.equal((await send("POST", "/v1/vault/credentials/exchange", grant, { service: "github" })).status, 401);
  const signature = grant.split(".")[2];
  await leavesNothing("an exchange", { grant, signature, "the signature's bytes": Buffer.from(signature, "base64url") });
});

test("a rotation leaves neither API key", async () => {
  const other = (await send("POST", "/v1/signup", undefined, { name: unique("Developer") })).body;
  const rotated = (await send("POST", "/v1/keys/rotate", other.apiKey)).body;
  await leavesNothing("a rotation", { old: other.apiKey, new: rotated.apiKey });
  const bytes = (key) => Buffer.from(key.slice("gx_live_".length), "base64url");
  await leavesNothing("a rotation", { "the old one's bytes": bytes(other.apiKey), "the new one's bytes": bytes(rotated.apiKey) });
});

test("the operator's calls leave no key, but for the one that is kept to compare with", async () => {
  const made = await send("POST", "/v1/admin/developers", adminKey, { developerId: "dev_operator", name: unique("Developer") });
  assert.equal(made.status, 201);
  await leavesNothing("provisioning", { "the API key": made.body.apiKey });
  assert.equal(placesOf(adminKey).length, 1);
});

test("root keys are there once each, as bytes, and not as text", async () => {
  for (const key of [rootKey, previousKey]) {
    assert.equal(placesOf(Buffer.from(key, "hex")).length, 1, "bytes");
    assert.equal(placesOf(key).length, 0, "text");
  }
});
