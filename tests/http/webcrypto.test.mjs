// Proves that WebCrypto and the vault open what the other sealed: this file is a second reading of
// src/store/storage-schema.md, with nothing but crypto.subtle.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertStatus, makeRootKey, serveVault, unique } from "./harness.mjs";

const { subtle } = globalThis.crypto;
const rootKey = makeRootKey();
const vault = await serveVault({ settings: { VAULT_ENCRYPTION_KEY: rootKey } });
const developer = await vault.newDeveloper();

const utf8 = (text) => new TextEncoder().encode(text);
const uint32 = (number) => new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
const concat = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const decode = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const encode = (bytes) => Buffer.from(bytes).toString("base64url");

async function derive(info, bytes) {
  const root = await subtle.importKey("raw", Buffer.from(rootKey, "hex"), "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(info) };
  return new Uint8Array(await subtle.deriveBits(parameters, root, bytes * 8));
}

/** Key and parameters for one part of a record. */
async function cipher(record, part, boundTo, iv) {
  const raw = await derive(`grant-vault developer ${developer.developerId}`, 32);
  const key = await subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  const header = concat([1], await derive("grant-vault key id", 8));
  const fields = [developer.developerId, record, part, boundTo].map(utf8);
  const additionalData = concat(header, ...fields.flatMap((field) => [uint32(field.length), field]));
  return { key, header, parameters: { name: "AES-GCM", iv, additionalData } };
}

async function open(sealed, record, part, boundTo = "") {
  const bytes = decode(sealed);
  const { key, header, parameters } = await cipher(record, part, boundTo, bytes.slice(9, 21));
  assert.deepEqual(bytes.slice(0, 9), header, "version and key id");
  return new Uint8Array(await subtle.decrypt(parameters, key, bytes.slice(21)));
}

async function seal(plain, record, part, boundTo = "") {
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
  const { key, header, parameters } = await cipher(record, part, boundTo, iv);
  return encode(concat(header, iv, new Uint8Array(await subtle.encrypt(parameters, key, plain))));
}

function readTokens(plain) {
  const length = new DataView(plain.buffer).getUint32(0);
  const text = (bytes) => new TextDecoder().decode(bytes);
  const access = text(plain.slice(4, 4 + length));
  return plain[4 + length] === 1 ? [access, text(plain.slice(5 + length))] : [access];
}

describe("WebCrypto and the vault", () => {
  test("WebCrypto opens what the vault sealed", async () => {
    const sent = {
      principalId: unique("user"),
      service: "GitHub",
      accessToken: unique("gho"),
      refreshToken: unique("ghr"),
      metadata: { scope: "repo" },
    };
    const { id, createdAt } = assertStatus(await developer.store(sent), 201).body;
    const { value, metadata } = await (await vault.worker.kv()).getWithMetadata(`cred:${developer.developerId}:${id}`);
    const [details, tokens] = value.split(".");
    assert.equal(metadata, `${Date.parse(createdAt)}.${details}`);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(await open(details, id, "details"))), {
      p: sent.principalId,
      s: "GitHub",
      t: "oauth2",
      e: null,
      m: { scope: "repo" },
      c: Date.parse(createdAt),
      u: Date.parse(createdAt),
    });
    assert.deepEqual(readTokens(await open(tokens, id, "tokens", details)), [sent.accessToken, sent.refreshToken]);
    await assert.rejects(open(tokens, id, "tokens"), "bound to the details beside it");
  });

  test("the vault opens what WebCrypto sealed", async () => {
    const principal = unique("user");
    const { id } = assertStatus(await developer.store({ principalId: principal, service: "slack", accessToken: "x" }), 201).body;
    const accessToken = vault.secrets.add("a token that WebCrypto sealed", unique("xoxb"));
    const shown = { p: principal, s: "Slack", t: "bot", e: 1_775_779_200_000, m: { team: "T1" }, c: 1_000, u: 2_000 };
    const details = await seal(utf8(JSON.stringify(shown)), id, "details");
    const plain = concat(uint32(accessToken.length), utf8(accessToken), [0]);
    const tokens = await seal(plain, id, "tokens", details);
    const kv = await vault.worker.kv();
    await kv.put(`cred:${developer.developerId}:${id}`, `${details}.${tokens}`, { metadata: `1000.${details}` });

    const grant = await developer.grant({ principal, scopes: ["slack:read"] });
    assert.deepEqual(assertStatus(await vault.exchange(grant, "slack"), 200).body, {
      accessToken,
      service: "Slack",
      credentialType: "bot",
      tokenExpiresAt: "2026-04-10T00:00:00.000Z",
      metadata: { team: "T1" },
    });
    const listed = assertStatus(await developer.list({ service: "slack" }), 200).body.credentials;
    assert.deepEqual(listed, [assertStatus(await developer.get(id), 200).body]);
    assert.equal(listed[0].createdAt, "1970-01-01T00:00:01.000Z");
  });
});
