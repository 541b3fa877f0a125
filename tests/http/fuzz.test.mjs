// Proves that requests made of random bytes, and good requests with random damage, never make the vault
// fail or change what is another developer's: no 5xx, no connection left without an answer, no secret
// in the log. The same seed makes the same requests; VAULT_FUZZ_SEED and VAULT_FUZZ_COUNT look further.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStatus, serveVault, unique } from "./harness.mjs";

const seed = Number(process.env.VAULT_FUZZ_SEED ?? 1);
const count = Number(process.env.VAULT_FUZZ_COUNT ?? 300);
const vault = await serveVault();

/** Mulberry32: a small generator of numbers in [0, 1), the same for the same seed. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
let state = seed;

const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const bytes = (n) => Buffer.from(Array.from({ length: n }, () => below(256)));
/** Characters that may stand in a request's target: what workerd takes, before it asks the Worker. */
const target = (n) =>
  Array.from({ length: n }, () => pick([..."abcXYZ019/._~-%?&=:@!$'()*+,;[]{}|^\\", "%00", "%ff", "%2f"])).join("");
/** Characters that may stand in a header. */
const header = (n) =>
  Array.from({ length: n }, () => String.fromCharCode(pick([9, 32 + below(95), 128 + below(128)])))
    .join("")
    .trim();

const developer = await vault.newDeveloper();
const principalId = unique("user");
// The requests come from another developer: whatever they hit by chance, it is not this credential.
const fuzzer = await vault.newDeveloper();
const { id } = assertStatus(await developer.store({ principalId, service: "github", accessToken: unique("gho") }), 201).body;
const grant = await developer.grant({ principal: principalId, scopes: ["*"] });

const paths = [
  "/v1/vault/credentials",
  `/v1/vault/credentials/${id}`,
  "/v1/vault/credentials/exchange",
  "/v1/signup",
  "/v1/me",
  "/v1/tokens/revoke",
  "/v1/grants/x",
  "/v1/admin/developers",
  "/v1/admin/developers/dev_x",
  "/health",
  "/",
];

const values = [
  null,
  true,
  -0,
  1e308,
  9007199254740993,
  "",
  " ",
  "\u0000",
  "\ud800",
  "☃",
  "x".repeat(70_000),
  [],
  {},
  [[]],
  { a: { b: {} } },
  "9999-12-31T23:59:59.999999999-23:59",
  "__proto__",
  "github",
  "2026-04-10T00:00:00Z",
];
const names = [
  "principalId",
  "service",
  "accessToken",
  "refreshToken",
  "credentialType",
  "metadata",
  "tokenExpiresAt",
  "name",
  "email",
  "mode",
  "jti",
  "developerId",
  "__proto__",
];

const damaged = (text) => {
  const buffer = Buffer.from(text);
  for (let i = below(4); i >= 0 && buffer.length; i -= 1) buffer[below(buffer.length)] = below(256);
  return buffer.subarray(0, random() < 0.3 ? below(buffer.length + 1) : buffer.length);
};

const kinds = {
  noise: () => ({
    method: pick(["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"]),
    path: random() < 0.5 ? `/${target(below(80))}` : `${pick(paths)}${pick(["", "/", "?"])}${target(below(40))}`,
    headers: {
      Authorization: pick([header(below(60)), `Bearer ${header(below(60))}`, `Bearer ${fuzzer.apiKey}`]),
      "Content-Type": pick(["application/json", header(below(20)), ""]),
      Origin: header(below(20)),
      Cookie: header(below(50)),
    },
    body: bytes(below(2000)),
  }),
  fields: () => ({
    method: "POST",
    path: pick([
      "/v1/vault/credentials",
      "/v1/vault/credentials/exchange",
      "/v1/signup",
      "/v1/tokens/revoke",
      "/v1/admin/developers",
    ]),
    headers: { "Content-Type": "application/json" },
    bearer: pick([fuzzer.apiKey, grant, vault.adminKey]),
    body: random() < 0.7 ? randomObject() : damaged(randomObject()),
  }),
  grants: () => ({
    method: "POST",
    path: "/v1/vault/credentials/exchange",
    headers: { "Content-Type": "application/json" },
    bearer: damagedGrant(),
    body: '{"service":"github"}',
  }),
};

function randomObject() {
  const object = { principalId: "user", service: "github", accessToken: "x", name: "x", jti: "x" };
  for (let i = below(6); i > 0; i -= 1) object[pick(names)] = pick(values);
  return JSON.stringify(object);
}

/** A grant token with a part damaged, inside its base64 or outside. */
function damagedGrant() {
  const parts = grant.split(".");
  const at = below(3);
  if (random() < 0.5) parts[at] = damaged(Buffer.from(parts[at], "base64url")).toString("base64url");
  else
    parts[at] = damaged(parts[at])
      .toString("latin1")
      .replace(/[^\x21-\x7e\x80-\xff]/g, "");
  return parts.join(".");
}

for (const [kind, make] of Object.entries(kinds)) {
  test(`${count} requests of ${kind}, seed ${seed}`, async () => {
    for (let i = 0; i < count; i += 8) {
      const batch = Array.from({ length: 8 }, make);
      await Promise.all(
        batch.map(async ({ method, path, ...options }) => {
          const answer = await vault.send(method, path, options).catch((error) => {
            throw new Error(`${method} ${path}: ${error.message}`, { cause: error });
          });
          if (answer.body?.apiKey) vault.secrets.add("an API key", answer.body.apiKey);
          assert.ok(answer.status < 500, `${method} ${path} -> ${answer.status} ${answer.text}`);
          if (kind === "grants" && options.bearer !== grant) assertStatus(answer, 401);
        }),
      );
    }
    assertStatus(await vault.exchange(grant, "github"), 200, "the vault still serves what was there");
  });
}
