// What every side is given: an issuer's keys and grant tokens, developers, credentials.

import { generateKeyPairSync, randomBytes, randomUUID, sign } from "node:crypto";
import { promisify } from "node:util";
import { load, request } from "./load.mjs";

export const ISSUER = "https://issuer.bench";
export const ADMIN_API_KEY = randomBytes(32).toString("hex");
export const SERVICE = "github";
/** How many principals exchanges, gets and repeated stores go round. */
export const PRINCIPALS = 64;
export const LISTS = [1, 100, 1000];

const signing = promisify(sign);
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export const principal = (i) => `user_${String(i).padStart(6, "0")}`;

function keyPair(alg) {
  const { privateKey, publicKey } =
    alg === "RS256" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid: `${alg}-1`, alg, use: "sig" } };
}

const keys = { RS256: keyPair("RS256"), ES256: keyPair("ES256") };

/** The settings that the vault and the TypeScript Worker share. */
export const SETTINGS = {
  VAULT_ENCRYPTION_KEY: randomBytes(32).toString("base64"),
  GRANT_ISSUER: ISSUER,
  GRANT_JWKS: JSON.stringify({ keys: Object.values(keys).map(({ jwk }) => jwk) }),
  ADMIN_API_KEY,
};

/** A grant token as Grantex issues them. */
export async function grantToken(alg, { developerId, principalId, scope = `${SERVICE}:read`, jti = randomUUID(), grantId = randomUUID(), key = keys[alg] }) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: principalId,
    jti,
    iat: now,
    exp: now + 86_400,
    scope,
    "urn:grantex:grant": { agent_did: "did:grantex:ag_01HXYZ0123456789ABCDEFGHJK", developer_id: developerId, grant_id: grantId, delegation_depth: 0 },
  };
  const input = `${base64url({ alg, typ: "at+jwt", kid: `${alg}-1` })}.${base64url(claims)}`;
  const signature = await signing("sha256", Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

/** A token that was signed with a key that isn't the issuer's. */
export const forgedToken = (alg, grant) => grantToken(alg, { ...grant, key: keyPair(alg) });

/** So many different tokens, each for one of the principals. */
export const grantTokens = (alg, count, { developerId }, principalOf = (i) => principal(i % PRINCIPALS)) =>
  Promise.all(Array.from({ length: count }, (_, i) => grantToken(alg, { developerId, principalId: principalOf(i) })));

export const credential = (principalId) => ({
  principalId,
  service: SERVICE,
  accessToken: `gho_${principalId.padEnd(36, "x")}`,
  refreshToken: `ghr_${principalId.padEnd(72, "y")}`,
  tokenExpiresAt: "2030-04-10T00:00:00Z",
  metadata: { scope: "repo,user", login: principalId },
});

/** One request, its answer parsed. */
export async function send(server, method, path, { bearer, json } = {}) {
  const headers = { ...(bearer && { Authorization: `Bearer ${bearer}` }), ...(json && { "Content-Type": "application/json" }) };
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers, body: json && JSON.stringify(json) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, body: text && answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : undefined };
}

/** A developer with an API key. */
export async function makeDeveloper(server, developerId) {
  const { status, text, body } = await send(server, "POST", "/v1/admin/developers", { bearer: ADMIN_API_KEY, json: { developerId, name: developerId } });
  if (status !== 201) throw new Error(`making a developer: ${status} ${text}`);
  return { developerId, apiKey: body.apiKey };
}

/** Stores so many credentials through the API. @returns {Promise<string[]>} their ids */
export async function fill(server, { apiKey }, count) {
  const ids = [];
  let i = 0;
  const next = () => (i < count ? request("POST", "/v1/vault/credentials", { bearer: apiKey, json: credential(principal(i++)) }) : undefined);
  const onAnswer = (bytes) => ids.push(/"id":"([^"]+)"/.exec(bytes.latin1Slice())[1]);
  await load({ port: server.port, connections: 16, next, onAnswer });
  return ids;
}

/** Gives a server what the cases ask for. */
export async function populate(server) {
  const developers = { main: await makeDeveloper(server, "dev_main"), new: await makeDeveloper(server, "dev_new") };
  developers.main.ids = await fill(server, developers.main, PRINCIPALS);
  for (const length of LISTS) {
    developers[length] = await makeDeveloper(server, `dev_list_${length}`);
    await fill(server, developers[length], length);
  }
  server.developers = developers;
}
