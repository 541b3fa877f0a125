/**
 * A credential vault for AI agents, in any JavaScript program.
 *
 * Every failure is a {@link VaultError}; an argument of the wrong type is a `TypeError` that names it.
 * The WebAssembly core is loaded when a method first needs it, so that nothing has to be initialised.
 */

/** Anything that JSON can say. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** A JSON object: what is known of a credential beside its tokens. At most 16 KiB of JSON, 16 levels deep. */
export type Metadata = { [name: string]: Json };

// ---------------------------------------------------------------------------------------------------
// Credentials, as in the HTTP contract

/** What is stored. It takes the place of the credential for the same principal and service, if any. */
export interface StoreCredentialParams {
  /** Whose credential it is: 1 to 256 bytes, no control characters. */
  principalId: string;
  /** What it is for, such as `github`: letters, digits and `. _ -`, 1 to 64 of them. Its case doesn't matter. */
  service: string;
  /** The upstream token, 1 byte to 64 KiB. */
  accessToken: string;
  /** What kind it is, 1 to 64 bytes. Default: `oauth2`. */
  credentialType?: string | null;
  /** Kept beside the access token, and never handed out. 1 byte to 64 KiB. */
  refreshToken?: string | null;
  /** When the access token expires: a `Date`, or an RFC 3339 timestamp with an offset. */
  tokenExpiresAt?: string | Date | null;
  /** Default: `{}`. */
  metadata?: Metadata | null;
}

/** The answer to a store. */
export interface StoreCredentialResponse {
  /** `vault_` and 26 characters; the same for the same developer, principal and service. */
  id: string;
  principalId: string;
  service: string;
  credentialType: string;
  /** When it was first stored, as `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  createdAt: string;
}

/** A credential without its tokens. Timestamps are `YYYY-MM-DDTHH:MM:SS.sssZ`. */
export interface VaultCredential {
  id: string;
  principalId: string;
  service: string;
  credentialType: string;
  tokenExpiresAt: string | null;
  metadata: Metadata;
  createdAt: string;
  updatedAt: string;
}

/** Which credentials are listed. */
export interface ListVaultCredentialsParams {
  /** Those of one principal only. */
  principalId?: string | null;
  /** Those for one service only. */
  service?: string | null;
  /** At most so many, 1 to 1,000. Default: all, up to 10,000. */
  limit?: number | null;
  /** The `nextCursor` of the page before. */
  cursor?: string | null;
}

/** A page of a list, newest first. */
export interface ListVaultCredentialsResponse {
  credentials: VaultCredential[];
  /** Where the next page starts; absent on the last. */
  nextCursor?: string;
}

/** What an agent asks for. */
export interface ExchangeCredentialParams {
  /** The service whose credential is wanted; its case doesn't matter. */
  service: string;
  /** `reference` asks for a reference to the credential instead. Default: `credential`. */
  delivery?: "credential" | "reference" | null;
}

/** An exchange for the credential itself. */
export type ExchangeForCredentialParams = ExchangeCredentialParams & { delivery?: "credential" | null };

/** An exchange for a reference to the credential: the agent never holds the secret. */
export type ExchangeForReferenceParams = ExchangeCredentialParams & { delivery: "reference" };

/** What an agent gets. The token may have expired: look at `tokenExpiresAt`. */
export interface ExchangeCredentialResponse {
  accessToken: string;
  service: string;
  credentialType: string;
  tokenExpiresAt: string | null;
  metadata: Metadata;
}

/** What an agent gets that asks for a reference. */
export interface ExchangeCredentialReferenceResponse {
  /** `vref_` and sealed text; the developer's API key resolves it, nothing of the agent's does. */
  credentialRef: string;
  service: string;
  credentialType: string;
  tokenExpiresAt: string | null;
  metadata: Metadata;
  /** When the reference ends: after five minutes, or with the grant if that is sooner. */
  referenceExpiresAt: string;
}

// ---------------------------------------------------------------------------------------------------
// Errors

/** The codes of the HTTP contract and of this package. */
export type VaultErrorCode =
  | "BAD_REQUEST"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "CONFLICT"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "TOO_MANY_REQUESTS"
  | "INTERNAL_ERROR"
  | "SERVICE_UNAVAILABLE"
  /** An option that has the right type and can't be: the message says which. */
  | "MISCONFIGURED"
  /** A sealed text that doesn't open. */
  | "CANNOT_OPEN"
  /** The WebAssembly core could not be loaded, or has to be loaded with {@link init} first. */
  | "NOT_LOADED"
  /** {@link VaultClient}: no connection, no answer in time, or aborted by the caller's signal. */
  | "NETWORK_ERROR"
  | "TIMEOUT"
  | "ABORTED"
  /** {@link VaultClient}: an answer that isn't a vault's, such as a redirect. */
  | "UNEXPECTED_ANSWER";

/** Every failure of this package. */
export class VaultError extends Error {
  constructor(message: string, details: { code: string; status?: number; requestId?: string; cause?: unknown });
  /** What went wrong, for programs. A server may answer with codes of its own. */
  readonly code: VaultErrorCode | (string & {});
  /** The HTTP status of the contract; 0 where no answer of a vault is behind it. */
  readonly status: number;
  /** The id of the request or call, as it is in the vault's log; absent where there was none. */
  readonly requestId: string | undefined;
  /**
   * Why, for whoever runs the vault: what its log would say, or the error underneath. It holds no secret,
   * but the contract doesn't tell callers so much: don't send it on.
   */
  readonly cause?: unknown;
  /** What may be sent on: the error body of the HTTP contract. */
  toJSON(): { message: string; code: string; requestId: string | undefined };
}

// ---------------------------------------------------------------------------------------------------
// The vault in this program

/** What the vault needs of a KV namespace: a Worker's own binding, {@link MemoryKV}, or an adapter. */
export interface KVNamespaceLike {
  /**
   * The value of a key, or null. Where it also takes an array of up to 100 keys and gives a `Map`, as
   * Workers KV does, an exchange is one read; where it doesn't, keys are read in parallel.
   */
  get(key: string): Promise<string | null>;
  /** `expirationTtl` is in seconds; `metadata` is a string, to be given back by `list`. */
  put(key: string, value: string, options?: { expirationTtl?: number; metadata?: string }): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys in the byte order of their UTF-8, at most `limit` of them. */
  list(options: { prefix: string; limit: number; cursor?: string }): Promise<KVListLike>;
}

/** A page of a namespace's keys. */
export interface KVListLike {
  keys: { name: string; metadata?: unknown }[];
  list_complete: boolean;
  /** Where the next page starts, unless the list is complete. */
  cursor?: string;
}

/** 32 bytes: as they are, as 64 hexadecimal characters, or as 44 characters of base64. */
export type Key = Uint8Array | string;

/** Whose grant tokens are accepted, and the keys they are signed with: either a set or where it is fetched. */
export type GrantOptions = {
  /** The `iss` of the tokens, compared exactly. */
  issuer: string;
  /** What their `aud` must contain. Default: anything. */
  audience?: string | null;
} & (
  | { /** The issuer's public keys, at most 64 KiB of JSON. */ jwks: JwkSet; jwksUrl?: null }
  | {
      /**
       * Where the issuer publishes them; https, or http on localhost. Fetched when first needed and kept for
       * 10 minutes; while the issuer can't be reached, for an hour.
       */
      jwksUrl: string | URL;
      jwks?: null;
    }
);

/** A JWK Set (RFC 7517). RSA keys for RS256 and P-256 keys for ES256 are used, others passed over. */
export interface JwkSet {
  keys: readonly object[];
}

/** One event, and one line of the vault's log. It holds no secret and nothing raw that a caller chose freely. */
export interface LogEntry {
  /** `info` for what was done, `warn` for what a caller did, `error` for what went wrong in the vault. */
  level: "info" | "warn" | "error";
  time: string;
  requestId: string;
  /** What happened, like `credential.exchanged`; the project's README lists them. */
  event: string;
  outcome: "done" | "refused" | "failed";
  status: number;
  /** The call, like `GET /v1/vault/credentials/{id}`. */
  call?: string;
  /** The scope that permitted an exchange. */
  rule?: string;
  /** Why it was refused, or what went wrong. */
  reason?: string;
  /** The damaged record, where it failed for one. */
  record?: string;
  actor?: "developer" | "agent" | "operator";
  developer?: string;
  agent?: string;
  grant?: string;
  credential?: string;
  /** Keyed hashes of what was named. */
  grantHash?: string;
  principalHash?: string;
  tokenHash?: string;
}

export interface VaultOptions {
  /** Where everything is kept. */
  kv: KVNamespaceLike;
  /** The root key. Without it nothing that is stored can be opened again. */
  encryptionKey: Key;
  /** Retired root keys, which still open what they sealed. */
  previousKeys?: readonly Key[] | null;
  grants: GrantOptions;
  /** For `fetch`: `open` lets anybody make a developer account. Default: `closed`. */
  signup?: "open" | "closed" | null;
  /** For `fetch`: turns the admin calls on, and is their bearer token. At least 32 characters. */
  adminApiKey?: string | null;
  /** For `fetch`: web origins whose pages may call it. Default: none. */
  corsAllowedOrigins?: readonly string[] | null;
  /** For `fetch`: gets an event for all that is done, refused or fails. Default: JSON to the console, as the Worker logs. */
  log?: ((entry: LogEntry) => void) | null;
}

/**
 * The vault over a KV namespace. What it writes a Worker with the same keys reads, and the reverse.
 *
 * Make one and keep it: it holds the issuer's keys. It may be used by any number of calls at once. Options
 * of the right type that can't be used, like an `http:` jwksUrl, fail in the calls, with `MISCONFIGURED`.
 */
export class Vault {
  /** @throws TypeError naming the option that is missing, of the wrong type, or no key of 32 bytes */
  constructor(options: VaultOptions);

  /** The vault of one developer. Whoever calls it is trusted: it asks for no API key. */
  developer(developerId: string): DeveloperVault;

  /**
   * Exchanges a grant token for the credential that it covers. Developer and principal are the token's.
   *
   * @throws VaultError `UNAUTHORIZED` for a token that is malformed, expired, revoked or not the issuer's (its
   * `cause` says which), `FORBIDDEN` where no scope permits the service, `NOT_FOUND` where nothing is stored,
   * `SERVICE_UNAVAILABLE` where storage or the issuer's keys can't be had
   */
  exchange(grantToken: string, params: ExchangeForCredentialParams): Promise<ExchangeCredentialResponse>;
  /** With `delivery: "reference"`: gives a reference, under the same conditions. */
  exchange(grantToken: string, params: ExchangeForReferenceParams): Promise<ExchangeCredentialReferenceResponse>;
  exchange(grantToken: string, params: ExchangeCredentialParams): Promise<ExchangeCredentialResponse | ExchangeCredentialReferenceResponse>;

  /**
   * Answers a request as the Worker does: the whole HTTP contract, errors included. Bound to the vault, so
   * that it can be handed over as it is. Paths start at `/v1/` and `/health`; anything else is a 404.
   */
  fetch(this: void, request: Request): Promise<Response>;
}

/** The vault of one developer: what `vault.developer(id)` gives. */
export interface DeveloperVault {
  readonly developerId: string;
  /** Stores a credential, in place of the one for the same principal and service. @throws VaultError `BAD_REQUEST` naming the field */
  store(params: StoreCredentialParams): Promise<StoreCredentialResponse>;
  /** Lists credentials, newest first, without tokens. @throws VaultError `BAD_REQUEST` for a bad limit or cursor */
  list(params?: ListVaultCredentialsParams): Promise<ListVaultCredentialsResponse>;
  /** Shows a credential, without tokens. @throws VaultError `NOT_FOUND` */
  get(credentialId: string): Promise<VaultCredential>;
  /** Removes a credential. @throws VaultError `NOT_FOUND` */
  delete(credentialId: string): Promise<void>;
  /**
   * Gives the credential that a reference stands for, as it is now.
   *
   * @throws VaultError `NOT_FOUND` for a reference that has ended or isn't this developer's, or whose credential is
   * gone; `FORBIDDEN` where its grant was revoked
   */
  resolveReference(credentialRef: string): Promise<ExchangeCredentialResponse>;
  /** Ends one grant token, by its `jti` of 1 to 512 bytes. */
  revokeToken(tokenId: string): Promise<void>;
  /** Ends every token of a grant, and of grants delegated from it directly. */
  revokeGrant(grantId: string): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------
// The vault elsewhere

export interface VaultClientOptions {
  /** Where the vault is, like `https://vault.example.com`. */
  baseUrl: string | URL;
  /** The developer's key. An agent has none: `exchange` alone works without. */
  apiKey?: string | null;
  /** What requests are made with. Default: the global `fetch`. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | null;
  /** How long one attempt may take, in milliseconds. Default: 30,000. */
  timeout?: number | null;
  /** How often a call is made again after 429, 502, 503, 504, a timeout or a network error; 0 to 10. Default: 3. */
  maxRetries?: number | null;
}

/** For one call. */
export interface CallOptions {
  /** Ends the call, waiting included, with a VaultError `ABORTED`. */
  signal?: AbortSignal;
}

/**
 * The HTTP contract from the caller's side; names are those of Grantex's SDK.
 *
 * Every call may be repeated, and is: after `Retry-After` where the answer has one (of at most a minute), else
 * after 0.5 s, doubling, up to half of it at random. Redirects are not followed. Each call throws a VaultError
 * with the answer's code, status and requestId, or `NETWORK_ERROR`, `TIMEOUT`, `ABORTED`, `UNEXPECTED_ANSWER`.
 */
export class VaultClient {
  /** @throws TypeError naming the option */
  constructor(options: VaultClientOptions);
  store(params: StoreCredentialParams, options?: CallOptions): Promise<StoreCredentialResponse>;
  list(params?: ListVaultCredentialsParams, options?: CallOptions): Promise<ListVaultCredentialsResponse>;
  get(credentialId: string, options?: CallOptions): Promise<VaultCredential>;
  /** Removes a credential. Where an attempt's answer was lost and the next finds nothing, that counts as done. */
  delete(credentialId: string, options?: CallOptions): Promise<void>;
  exchange(grantToken: string, params: ExchangeForCredentialParams, options?: CallOptions): Promise<ExchangeCredentialResponse>;
  exchange(grantToken: string, params: ExchangeForReferenceParams, options?: CallOptions): Promise<ExchangeCredentialReferenceResponse>;
  exchange(
    grantToken: string,
    params: ExchangeCredentialParams,
    options?: CallOptions,
  ): Promise<ExchangeCredentialResponse | ExchangeCredentialReferenceResponse>;
  /** Gives the credential that a reference stands for; needs the developer's API key. */
  resolveReference(credentialRef: string, options?: CallOptions): Promise<ExchangeCredentialResponse>;
  readonly tokens: {
    /** Ends one grant token, by its `jti`. */
    revoke(tokenId: string, options?: CallOptions): Promise<void>;
  };
  readonly grants: {
    /** Ends every token of a grant. */
    revoke(grantId: string, options?: CallOptions): Promise<void>;
  };
}

// ---------------------------------------------------------------------------------------------------
// Grants

/** What a verified grant token says. Timestamps are `YYYY-MM-DDTHH:MM:SS.sssZ`. */
export interface Grant {
  /** The token's own id (`jti`). */
  tokenId: string;
  /** The grant's id; the token's where it names none. */
  grantId: string;
  /** The grant that this one was delegated from. */
  parentGrantId?: string;
  /** How often the grant was delegated on; 0 for the user's own. */
  delegationDepth: number;
  /** Whose vault it opens. */
  developerId: string;
  /** Whose credentials it covers (`sub`). */
  principalId: string;
  /** The agent it was given to. */
  agentDid: string;
  scopes: string[];
  issuedAt: string;
  expiresAt: string;
}

/** Verifies grant tokens without a vault. Whether a token was revoked only a vault knows. */
export class GrantVerifier {
  /** @throws TypeError naming the option */
  constructor(options: GrantOptions);
  /**
   * What a token says, once signature, issuer, audience and times are checked, with 60 seconds of skew.
   *
   * @throws VaultError `UNAUTHORIZED`, whose `cause` says why; `SERVICE_UNAVAILABLE` where the keys can't be had;
   * `MISCONFIGURED` for keys that can't be used
   */
  verify(grantToken: string): Promise<Grant>;
  /**
   * Whether a grant permits an exchange for a service.
   *
   * @throws VaultError `NOT_LOADED` in a browser, where neither `verify` nor {@link init} came before
   */
  permits(grant: Pick<Grant, "scopes">, service: string): boolean;
  /** Those scopes of a grant that permit an exchange for a service. @throws as `permits` does */
  permittingScopes(grant: Pick<Grant, "scopes">, service: string): string[];
  /** The scopes that would permit an exchange for a service; any one of them does. @throws as `permits` does */
  scopesFor(service: string): string[];
}

// ---------------------------------------------------------------------------------------------------
// Sealing

/**
 * Seals texts before they leave the caller, under a key that nobody else has: AES-256-GCM, bound to a context.
 *
 * A sealed text is base64url, without padding, of a version byte (1), a nonce of 12 bytes, and the ciphertext
 * followed by its tag of 16. The additional data is the UTF-8 of `grant-vault sealer 1`, a zero byte and the
 * context. Nonces are random: seal at most 2^32 texts under one key.
 */
export class Sealer {
  /** @throws TypeError for anything that is no key of 32 bytes */
  constructor(key: Key);
  /** Seals a text. The context is what it belongs to, and is needed to open it; it isn't kept in it. */
  seal(text: string, context: string): Promise<string>;
  /** Opens a sealed text. @throws VaultError `CANNOT_OPEN` for another key or context, or what was changed */
  open(sealed: string, context: string): Promise<string>;
}

// ---------------------------------------------------------------------------------------------------
// Storage

/** How a value is given. */
export type MemoryKVType = "text" | "json" | "arrayBuffer" | "stream";

/** A value with the metadata that it was put with. */
export interface MemoryKVEntry<Value> {
  value: Value | null;
  metadata: Json;
  cacheStatus: null;
}

export interface MemoryKVPutOptions {
  /** When the key disappears, in seconds since 1970; at least 60 seconds from now. */
  expiration?: number;
  /** In how many seconds the key disappears, at least 60. */
  expirationTtl?: number;
  /** At most 1,024 bytes of JSON. */
  metadata?: Json;
}

/**
 * A KV namespace in memory, with the methods, limits and order of Workers KV: for tests, development, and
 * vaults that need not outlive their program. Unlike Workers KV it shows every write at once.
 *
 * @throws VaultError `BAD_REQUEST` where Workers KV answers 400: keys over 512 bytes, values over 25 MiB, metadata
 * over 1,024 bytes, an expiry under 60 seconds
 */
export class MemoryKV {
  get(key: string, options?: "text" | { type?: "text" }): Promise<string | null>;
  get(key: string, options: "json" | { type: "json" }): Promise<Json>;
  get(key: string, options: "arrayBuffer" | { type: "arrayBuffer" }): Promise<ArrayBuffer | null>;
  get(key: string, options: "stream" | { type: "stream" }): Promise<ReadableStream | null>;
  /** At most 100 keys. */
  get(keys: string[], options?: "text" | { type?: "text" }): Promise<Map<string, string | null>>;
  get(keys: string[], options: "json" | { type: "json" }): Promise<Map<string, Json>>;
  getWithMetadata(key: string, options?: "text" | { type?: "text" }): Promise<MemoryKVEntry<string>>;
  getWithMetadata(key: string, options: "json" | { type: "json" }): Promise<MemoryKVEntry<Json>>;
  getWithMetadata(key: string, options: "arrayBuffer" | { type: "arrayBuffer" }): Promise<MemoryKVEntry<ArrayBuffer>>;
  getWithMetadata(key: string, options: "stream" | { type: "stream" }): Promise<MemoryKVEntry<ReadableStream>>;
  getWithMetadata(keys: string[], options?: "text" | { type?: "text" }): Promise<Map<string, MemoryKVEntry<string> | null>>;
  getWithMetadata(keys: string[], options: "json" | { type: "json" }): Promise<Map<string, MemoryKVEntry<Json> | null>>;
  put(key: string, value: string | ArrayBuffer | ArrayBufferView | ReadableStream, options?: MemoryKVPutOptions): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys in byte order; `limit` is 1 to 1,000, and 1,000 by default. */
  list(options?: { prefix?: string | null; limit?: number; cursor?: string | null }): Promise<MemoryKVList>;
}

export interface MemoryKVList {
  keys: { name: string; expiration?: number; metadata?: Json }[];
  list_complete: boolean;
  cursor?: string;
  cacheStatus: null;
}

// ---------------------------------------------------------------------------------------------------
// Loading

/**
 * Loads the WebAssembly core. Never needed but for `permits` in a browser before anything else was called, and
 * where the file isn't beside the package's JavaScript: a URL of it, its bytes, or the compiled module.
 *
 * @throws VaultError `NOT_LOADED`; a later call tries again
 */
export function init(source?: string | URL | ArrayBuffer | ArrayBufferView | WebAssemblyModule): Promise<void>;

/** A `WebAssembly.Module`, which has no members to tell it by and no type where there is no DOM. */
export type WebAssemblyModule = object;
