// A vault as a good engineer would write it for Workers today: hono, jose, WebCrypto and KV. It speaks the
// vault's HTTP contract and makes the same checks; how records are kept is in sealed.ts and tuned.ts.

import { Hono, type Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { importJWK, jwtVerify, type CryptoKey, type JWTHeaderParameters } from "jose";

export interface Env {
  VAULT: KVNamespace;
  VAULT_ENCRYPTION_KEY: string;
  GRANT_ISSUER: string;
  GRANT_JWKS: string;
  ADMIN_API_KEY: string;
}

/** What may be shown of a credential. */
export interface Details {
  id: string;
  principalId: string;
  service: string;
  credentialType: string;
  tokenExpiresAt: string | null;
  metadata: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
}

export interface Credential extends Details {
  accessToken: string;
  refreshToken?: string;
}

/** How credentials are kept in KV. A record is bound to its key, which names the developer and the id. */
export interface Records {
  /** The credential under `key`, and whether any of the other keys is there. */
  read(env: Env, key: string, revocations: string[]): Promise<{ credential: Credential | null; revoked: boolean }>;
  readDetails(env: Env, key: string): Promise<Details | null>;
  write(env: Env, key: string, credential: Credential): Promise<void>;
  list(env: Env, prefix: string): Promise<Details[]>;
}

const encoder = new TextEncoder();
const REVOCATION_SECONDS = 400 * 86_400 + 120;

const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

const CODES: Record<number, string> = { 400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 413: "PAYLOAD_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE", 500: "INTERNAL_ERROR" };

type Status = 200 | 201 | 400 | 401 | 403 | 404 | 413 | 415 | 500;

/** Answers; what was done goes to the log first, as a line of JSON. */
function answer(c: Context, status: Status, body: object, done?: { event: string } & Record<string, unknown>) {
  const requestId = crypto.randomUUID();
  if (done) console.log(JSON.stringify({ level: "info", time: new Date(), requestId, status, ...done }));
  return c.json(body, status, { ...HEADERS, "X-Request-Id": requestId });
}

const fail = (status: Status, message: string) => new HTTPException(status, { message });

const sha256 = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))).toBase64({ alphabet: "base64url", omitPadding: true });

// ---------------------------------------------------------------------------------------------
// Who asks

function bearer(c: Context): string {
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
  if (!token) throw fail(401, "missing or malformed bearer token");
  return token;
}

/** The developer whose API key this is. */
async function developer(c: Context<{ Bindings: Env }>): Promise<string> {
  const account = await c.env.VAULT.get<{ developerId: string }>(`key:${await sha256(bearer(c))}`, "json");
  if (!account) throw fail(401, "unknown API key");
  return account.developerId;
}

const issuerKeys = new Map<string, Promise<CryptoKey>>();

/** The issuer's key that a token names, imported once. */
function issuerKey(env: Env, { kid, alg }: JWTHeaderParameters): Promise<CryptoKey> {
  const name = `${alg} ${kid}`;
  let key = issuerKeys.get(name);
  if (!key) {
    const jwk = JSON.parse(env.GRANT_JWKS).keys.find((one: { kid: string; alg: string }) => one.kid === kid && one.alg === alg);
    if (!jwk) throw fail(401, "invalid grant token");
    key = importJWK(jwk, alg) as Promise<CryptoKey>;
    issuerKeys.set(name, key);
  }
  return key;
}

interface Grant {
  developerId: string;
  principalId: string;
  scopes: string[];
  tokenId: string;
  grantId: string;
  parentGrantId?: string;
  agent: unknown;
}

/** What a grant token grants, once its signature, issuer and times are checked. */
async function grant(c: Context<{ Bindings: Env }>): Promise<Grant> {
  const token = bearer(c);
  const { payload } = await jwtVerify(token, (header) => issuerKey(c.env, header), {
    algorithms: ["RS256", "ES256"],
    issuer: c.env.GRANT_ISSUER,
    clockTolerance: 60,
    requiredClaims: ["sub", "jti", "iat", "exp"],
  }).catch(() => {
    throw fail(401, "invalid grant token");
  });
  const details = payload["urn:grantex:grant"] as Record<string, string> | undefined;
  const developerId = details ? details.developer_id : payload.dev;
  const scopes = details ? String(payload.scope ?? "").split(" ") : payload.scp;
  if (typeof developerId !== "string" || !Array.isArray(scopes) || payload.cnf) throw fail(401, "invalid grant token");
  return {
    developerId,
    principalId: payload.sub!,
    scopes,
    tokenId: payload.jti!,
    grantId: details?.grant_id ?? (payload.grnt as string | undefined) ?? payload.jti!,
    parentGrantId: details?.parent_grant_id ?? (payload.parentGrnt as string | undefined),
    agent: details?.agent_did ?? payload.agt,
  };
}

function permits(scopes: string[], service: string): boolean {
  const s = service.toLowerCase();
  const permitting = ["*", `${s}:*`, `${s}:read`, `${s}:credentials:read`, `vault:${s}:*`, `vault:${s}:read`, "vault:credentials:exchange"];
  return scopes.some((scope) => permitting.includes(scope.toLowerCase()));
}

// ---------------------------------------------------------------------------------------------
// What is asked

async function json(c: Context): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(c.req.header("Content-Type") ?? "")) throw fail(415, "Content-Type must be application/json");
  if (Number(c.req.header("Content-Length") ?? 0) > 256 * 1024) throw fail(413, "body too large");
  const body = await c.req.json().catch(() => undefined);
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw fail(400, "the body must be a JSON object");
  return body;
}

function text(body: Record<string, unknown>, name: string, longest: number, fallback?: string): string {
  const value = body[name] ?? fallback;
  if (typeof value !== "string" || value === "" || value.length > longest) throw fail(400, `${name} must be a string of 1 to ${longest} characters`);
  return value;
}

function service(body: Record<string, unknown>): string {
  const name = text(body, "service", 64);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw fail(400, "service must be a name");
  return name;
}

function timestamp(body: Record<string, unknown>, name: string): string | null {
  if (body[name] === undefined || body[name] === null) return null;
  const time = new Date(text(body, name, 64));
  if (Number.isNaN(time.getTime())) throw fail(400, `${name} must be an RFC 3339 timestamp`);
  return time.toISOString();
}

function object(body: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = body[name] ?? {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail(400, `${name} must be a JSON object`);
  return value as Record<string, unknown>;
}

/** A credential's id is derived, so that a store finds the one it replaces and an exchange needs no index. */
const credentialId = async (developerId: string, principalId: string, service: string) =>
  `vault_${await sha256(`${developerId}\n${principalId}\n${service.toLowerCase()}`)}`;

const credentialKey = (developerId: string, id: string) => `cred:${developerId}:${id}`;

function shown({ id, principalId, service, credentialType, tokenExpiresAt, metadata, createdAt, updatedAt }: Details): Details {
  return { id, principalId, service, credentialType, tokenExpiresAt, metadata, createdAt, updatedAt };
}

// ---------------------------------------------------------------------------------------------
// The calls

export function vault(records: Records) {
  const app = new Hono<{ Bindings: Env }>();

  app.onError((error, c) => {
    const status = (error instanceof HTTPException ? error.status : 500) as Status;
    if (status === 500) console.error(error);
    return answer(c, status, { message: status === 500 ? "internal error" : error.message, code: CODES[status] });
  });
  app.notFound((c) => answer(c, 404, { message: "no such path", code: CODES[404] }));

  app.get("/health", (c) => answer(c, 200, { status: "ok" }));

  app.post("/v1/vault/credentials/exchange", async (c) => {
    const { developerId, principalId, scopes, tokenId, grantId, parentGrantId, agent } = await grant(c);
    const wanted = service(await json(c));
    if (!permits(scopes, wanted)) throw fail(403, "the grant has no scope for this service");
    const id = await credentialId(developerId, principalId, wanted);
    const key = credentialKey(developerId, id);
    const revocations = [`revoked:${developerId}:token:${tokenId}`, `revoked:${developerId}:grant:${grantId}`];
    if (parentGrantId) revocations.push(`revoked:${developerId}:grant:${parentGrantId}`);
    const { credential, revoked } = await records.read(c.env, key, revocations);
    if (revoked) throw fail(401, "invalid grant token");
    if (!credential) throw fail(404, "no such credential");
    const { accessToken, credentialType, tokenExpiresAt, metadata } = credential;
    const body = { accessToken, service: credential.service, credentialType, tokenExpiresAt, metadata };
    return answer(c, 200, body, { event: "credential.exchanged", developer: developerId, agent, grant: grantId, credential: id });
  });

  app.post("/v1/vault/credentials", async (c) => {
    const developerId = await developer(c);
    const body = await json(c);
    const principalId = text(body, "principalId", 256);
    const name = service(body);
    const id = await credentialId(developerId, principalId, name);
    const key = credentialKey(developerId, id);
    const now = new Date().toISOString();
    const credential: Credential = {
      id,
      principalId,
      service: name,
      credentialType: text(body, "credentialType", 64, "oauth2"),
      tokenExpiresAt: timestamp(body, "tokenExpiresAt"),
      metadata: object(body, "metadata"),
      createdAt: now,
      updatedAt: now,
      accessToken: text(body, "accessToken", 65_536),
    };
    if (body.refreshToken) credential.refreshToken = text(body, "refreshToken", 65_536);
    const existing = await records.readDetails(c.env, key);
    if (existing) credential.createdAt = existing.createdAt;
    await records.write(c.env, key, credential);
    const { credentialType, createdAt } = credential;
    const event = existing ? "credential.replaced" : "credential.stored";
    return answer(c, 201, { id, principalId, service: name, credentialType, createdAt }, { event, developer: developerId, credential: id });
  });

  app.get("/v1/vault/credentials", async (c) => {
    const developerId = await developer(c);
    const { principalId, service } = c.req.query();
    const all = await records.list(c.env, credentialKey(developerId, ""));
    const credentials = all
      .filter((one) => (!principalId || one.principalId === principalId) && (!service || one.service.toLowerCase() === service.toLowerCase()))
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
    return answer(c, 200, { credentials: credentials.map(shown) });
  });

  app.get("/v1/vault/credentials/:id", async (c) => {
    const developerId = await developer(c);
    const details = await records.readDetails(c.env, credentialKey(developerId, c.req.param("id")));
    if (!details) throw fail(404, "no such credential");
    return answer(c, 200, shown(details));
  });

  app.post("/v1/tokens/revoke", async (c) => {
    const developerId = await developer(c);
    const jti = text(await json(c), "jti", 512);
    await c.env.VAULT.put(`revoked:${developerId}:token:${jti}`, "1", { expirationTtl: REVOCATION_SECONDS });
    return c.body(null, 204, HEADERS);
  });

  app.delete("/v1/grants/:id", async (c) => {
    const developerId = await developer(c);
    await c.env.VAULT.put(`revoked:${developerId}:grant:${c.req.param("id")}`, "1", { expirationTtl: REVOCATION_SECONDS });
    return c.body(null, 204, HEADERS);
  });

  app.post("/v1/admin/developers", async (c) => {
    if (bearer(c) !== c.env.ADMIN_API_KEY) throw fail(401, "wrong admin key");
    const body = await json(c);
    const developerId = text(body, "developerId", 64);
    const name = text(body, "name", 256);
    const apiKey = `gx_live_${crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true })}`;
    await c.env.VAULT.put(`key:${await sha256(apiKey)}`, JSON.stringify({ developerId, name }));
    return answer(c, 201, { developerId, apiKey, name });
  });

  return app;
}

// ---------------------------------------------------------------------------------------------
// Encryption

const NONCE_BYTES = 12;
let imported: Promise<CryptoKey> | undefined;

/** The encryption key, imported once. */
function encryptionKey(env: Env): Promise<CryptoKey> {
  return (imported ??= crypto.subtle.importKey("raw", Uint8Array.fromBase64(env.VAULT_ENCRYPTION_KEY), "AES-GCM", false, ["encrypt", "decrypt"]));
}

/** AES-256-GCM: nonce, then ciphertext and tag; bound to `place`. */
export async function seal(env: Env, place: string, value: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
  const ciphertext = await crypto.subtle.encrypt(algorithm, await encryptionKey(env), encoder.encode(JSON.stringify(value)));
  const sealed = new Uint8Array(NONCE_BYTES + ciphertext.byteLength);
  sealed.set(iv);
  sealed.set(new Uint8Array(ciphertext), NONCE_BYTES);
  return sealed;
}

const decoder = new TextDecoder();

export async function open<T>(env: Env, place: string, sealed: Uint8Array<ArrayBuffer>): Promise<T> {
  const algorithm = { name: "AES-GCM", iv: sealed.subarray(0, NONCE_BYTES), additionalData: encoder.encode(place) };
  const plain = await crypto.subtle.decrypt(algorithm, await encryptionKey(env), sealed.subarray(NONCE_BYTES));
  return JSON.parse(decoder.decode(plain));
}
