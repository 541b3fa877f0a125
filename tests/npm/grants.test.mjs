// GrantVerifier and Sealer, by themselves.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { Issuer, ISSUER, now } from "../http/support/grants.mjs";
import { Secrets } from "../http/support/secrets.mjs";
import { installed } from "./support/package.mjs";

const { GrantVerifier, Sealer, VaultError } = await installed();
const issuer = await Issuer.create(new Secrets());
const verifier = new GrantVerifier({ issuer: ISSUER, jwks: issuer.jwks });
const grant = { developerId: "dev_1", principal: "user_1", scopes: ["github:read", "*:write"], jti: "token_1" };

const refused = (code, status, cause) => (error) => {
  assert.ok(error instanceof VaultError, String(error));
  assert.deepEqual([error.code, error.status], [code, status]);
  if (cause) assert.match(error.cause, cause);
  return true;
};

test("claims of both spellings and algorithms read alike", async () => {
  for (const spelling of ["standard", "legacy"]) {
    for (const alg of ["RS256", "ES256"]) {
      const parents = spelling === "legacy" ? { grantId: "grant_1" } : { grantId: "grant_1", parentGrantId: "grant_0" };
      const token = await issuer.grant({ ...grant, ...parents }, { spelling, alg });
      const { issuedAt, expiresAt, ...claims } = await verifier.verify(token);
      assert.deepEqual(claims, {
        tokenId: "token_1", grantId: "grant_1", ...(parents.parentGrantId && { parentGrantId: "grant_0" }), delegationDepth: parents.parentGrantId ? 1 : 0,
        developerId: "dev_1", principalId: "user_1", agentDid: "did:grantex:agent-1", scopes: ["github:read", "*:write"],
      });
      assert.equal(Date.parse(expiresAt) - Date.parse(issuedAt), 3_600_000);
      assert.equal(new Date(issuedAt).toISOString(), issuedAt);
    }
  }
});

test("scopes permit by the vault's own rule", () => {
  const permitting = (scopes, service = "GitHub") => verifier.permittingScopes({ scopes }, service);
  const all = ["*", "github:*", "GITHUB:read", "github:credentials:read", "vault:github:*", "vault:github:read", "vault:credentials:exchange"];
  assert.deepEqual(permitting([...all, "github:write", "slack:*", "vault:slack:read", "github", "", "*:*"]), all);
  assert.deepEqual([verifier.permits({ scopes: ["slack:read"] }, "slack"), verifier.permits({ scopes: ["slack:read"] }, "github"), verifier.permits({ scopes: [] }, "github")], [true, false, false]);
  const named = verifier.scopesFor("github");
  assert.equal(named.length, 7);
  assert.deepEqual(permitting(named), named, "each that is named permits");
  assert.throws(() => verifier.scopesFor(), /^TypeError: service must be a string/);
  for (const wrong of [undefined, null, "github:read", {}, { scopes: "*" }, { scopes: [5] }]) assert.throws(() => verifier.permits(wrong, "github"), TypeError);
  assert.throws(() => verifier.permits({ scopes: [] }), /^TypeError: service must be a string/);
});

test("what isn't a good token is refused, and the cause says why", async () => {
  const stranger = await Issuer.create(new Secrets());
  const token = await issuer.grant(grant);
  const cases = [
    [/compact/, ""], [/compact/, "x"], [/compact|header/i, "a.b.c"], [/16 KiB/, "x".repeat(16_385)],
    [/signature/, await stranger.grant(grant)],
    [/expired/, await issuer.grant(grant, { claims: { iat: now() - 100, exp: now() - 61 } })],
    [/not yet/, await issuer.grant(grant, { claims: { nbf: now() + 100 } })],
    [/issuer/, await issuer.grant(grant, { claims: { iss: "https://other.test" } })],
    [/cnf/, await issuer.grant(grant, { claims: { cnf: { jkt: "x" } } })],
    [/400 days/, await issuer.grant(grant, { claims: { exp: now() + 401 * 86_400 } })],
    [/signature/, token.slice(0, -6) + (token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA")],
  ];
  for (const [cause, bad] of cases) await assert.rejects(verifier.verify(bad), refused("UNAUTHORIZED", 401, cause), bad.slice(0, 30));
  for (const wrong of [undefined, null, 5, {}]) await assert.rejects(verifier.verify(wrong), /^TypeError: grantToken must be a string/);
});

test("an audience is asked for when one is set", async () => {
  const strict = new GrantVerifier({ issuer: ISSUER, audience: "https://vault.test", jwks: issuer.jwks });
  await assert.rejects(strict.verify(await issuer.grant(grant)), refused("UNAUTHORIZED", 401, /audience/));
  assert.equal((await strict.verify(await issuer.grant(grant, { claims: { aud: ["https://vault.test"] } }))).tokenId, "token_1");
});

test("options: types at once, values at the first call", async () => {
  for (const wrong of [undefined, {}, { issuer: ISSUER }, { issuer: ISSUER, jwks: [] }, { issuer: ISSUER, jwks: issuer.jwks, jwksUrl: "https://x" }]) {
    assert.throws(() => new GrantVerifier(wrong), TypeError);
  }
  const unusable = new GrantVerifier({ issuer: ISSUER, jwks: { keys: [{ kty: "oct", k: "c2VjcmV0LXNlY3JldA" }] } });
  await assert.rejects(unusable.verify(await issuer.grant(grant)), (error) => refused("MISCONFIGURED", 503)(error) && /^grants\.jwks /.test(error.message) && !error.message.includes("c2VjcmV0"));
  const unreachable = new GrantVerifier({ issuer: ISSUER, jwksUrl: "http://127.0.0.1:1/jwks" });
  await assert.rejects(unreachable.verify(await issuer.grant(grant)), refused("SERVICE_UNAVAILABLE", 503));
});

// ---------------------------------------------------------------------------------------------------
// Sealer

const KEY = new Uint8Array(32).fill(3);
const sealer = new Sealer(KEY);
const algorithm = (iv, context) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`grant-vault sealer 1\0${context}`) });
const subtleKey = await webcrypto.subtle.importKey("raw", KEY, "AES-GCM", false, ["encrypt", "decrypt"]);

test("what is sealed opens, with crypto.subtle too, and the reverse", async () => {
  for (const [text, context] of [["", ""], ["gho_1", "user/github"], ["ü😀\0", "ü\0"], ["x".repeat(1_000_000), "long"]]) {
    const sealed = await sealer.seal(text, context);
    assert.match(sealed, /^[\w-]+$/);
    assert.equal(await sealer.open(sealed, context), text);
    const bytes = Buffer.from(sealed, "base64url");
    assert.equal(bytes[0], 1);
    const opened = await webcrypto.subtle.decrypt(algorithm(bytes.subarray(1, 13), context), subtleKey, bytes.subarray(13));
    assert.equal(new TextDecoder().decode(opened), text);

    const iv = webcrypto.getRandomValues(new Uint8Array(12));
    const ciphertext = await webcrypto.subtle.encrypt(algorithm(iv, context), subtleKey, new TextEncoder().encode(text));
    assert.equal(await sealer.open(Buffer.concat([Buffer.from([1]), iv, Buffer.from(ciphertext)]).toString("base64url"), context), text);
  }
});

test("a nonce is used once, a key is a copy", async () => {
  const key = Uint8Array.from(KEY);
  const own = new Sealer(key);
  key.fill(0);
  const sealed = new Set(await Promise.all(Array.from({ length: 100 }, () => own.seal("x", "y"))));
  assert.equal(sealed.size, 100);
  assert.equal(await sealer.open([...sealed][0], "y"), "x");
});

test("anything changed doesn't open", async () => {
  const sealed = await sealer.seal("secret", "context");
  const bytes = Buffer.from(sealed, "base64url");
  const changed = [...bytes.keys()].map((index) => Buffer.from(bytes.map((byte, at) => (at === index ? byte ^ 1 : byte))).toString("base64url"));
  const cut = [...bytes.keys()].map((length) => bytes.subarray(0, length).toString("base64url"));
  for (const bad of [...changed, ...cut, `${sealed}=`, `${sealed} `, "!", sealed.toUpperCase()]) await assert.rejects(sealer.open(bad, "context"), refused("CANNOT_OPEN", 0), bad);
  await assert.rejects(sealer.open(sealed, "Context"), refused("CANNOT_OPEN", 0));
  await assert.rejects(new Sealer(new Uint8Array(32)).open(sealed, "context"), refused("CANNOT_OPEN", 0));
});

test("wrong arguments are named", async () => {
  for (const key of [undefined, null, 5, "short", new Uint8Array(16), new Uint16Array(32), new ArrayBuffer(32), Array(32).fill(1)]) assert.throws(() => new Sealer(key), /^TypeError: key must be 32 bytes/);
  const calls = [
    [/^TypeError: text /, () => sealer.seal(undefined, "c")], [/^TypeError: text /, () => sealer.seal(Buffer.from("x"), "c")], [/^TypeError: text /, () => sealer.seal("\ud800", "c")],
    [/^TypeError: context /, () => sealer.seal("x")], [/^TypeError: context /, () => sealer.seal("x", "\udc00")], [/^TypeError: sealed /, () => sealer.open(5, "c")], [/^TypeError: context /, () => sealer.open("x")],
  ];
  for (const [message, call] of calls) await assert.rejects(call(), message);
});
