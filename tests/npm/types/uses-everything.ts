// Compiled, not run: every export of the package, values and types, as its users would write them.

import {
  GrantVerifier, MemoryKV, Sealer, Vault, VaultClient, VaultError, init,
  type CallOptions, type DeveloperVault, type ExchangeCredentialParams, type ExchangeCredentialReferenceResponse,
  type ExchangeCredentialResponse, type ExchangeForCredentialParams, type ExchangeForReferenceParams, type Grant, type GrantOptions, type Json,
  type JwkSet, type Key, type KVListLike, type KVNamespaceLike, type ListVaultCredentialsParams, type ListVaultCredentialsResponse, type LogEntry,
  type MemoryKVEntry, type MemoryKVList, type MemoryKVPutOptions, type MemoryKVType, type Metadata, type StoreCredentialParams,
  type StoreCredentialResponse, type VaultClientOptions, type VaultCredential, type VaultErrorCode, type VaultOptions, type WebAssemblyModule,
} from "grant-vault";

const jwks: JwkSet = { keys: [{ kty: "EC", crv: "P-256", kid: "1", x: "…", y: "…" }] };
const inline: GrantOptions = { issuer: "https://issuer.example", jwks };
const fetched: GrantOptions = { issuer: "https://issuer.example", audience: "https://vault.example", jwksUrl: new URL("https://issuer.example/jwks.json") };
const key: Key = new Uint8Array(32);

/** Somebody's own storage: the least that will do. */
class OwnStorage implements KVNamespaceLike {
  readonly #entries = new Map<string, { value: string; metadata?: string }>();
  async get(name: string): Promise<string | null> {
    return this.#entries.get(name)?.value ?? null;
  }
  async put(name: string, value: string, options?: { expirationTtl?: number; metadata?: string }): Promise<void> {
    this.#entries.set(name, { value, ...(options?.metadata !== undefined && { metadata: options.metadata }) });
  }
  async delete(name: string): Promise<void> {
    this.#entries.delete(name);
  }
  async list({ prefix, limit }: { prefix: string; limit: number; cursor?: string }): Promise<KVListLike> {
    const keys = [...this.#entries].filter(([name]) => name.startsWith(prefix)).map(([name, { metadata }]) => ({ name, metadata }));
    return { keys: keys.slice(0, limit), list_complete: true };
  }
}

const options: VaultOptions = {
  kv: new OwnStorage(),
  encryptionKey: key,
  previousKeys: ["00".repeat(32), key],
  grants: inline,
  signup: "open",
  adminApiKey: null,
  corsAllowedOrigins: ["https://app.example"],
  log: (entry: LogEntry) => console.log(entry.level === "error", entry.record?.length, entry.status.toFixed()),
};

export async function inProcess(grantToken: string): Promise<string> {
  const vault = new Vault(options);
  const same: Vault = new Vault({ kv: new MemoryKV(), encryptionKey: "x", grants: fetched });
  const developer: DeveloperVault = vault.developer("dev_acme");
  const metadata: Metadata = { scopes: ["repo", "user"], nested: { n: 1, none: null } };
  const params: StoreCredentialParams = { principalId: "user", service: "github", accessToken: "gho", tokenExpiresAt: new Date(), metadata, refreshToken: null };
  const stored: StoreCredentialResponse = await developer.store(params);
  const query: ListVaultCredentialsParams = { principalId: "user", limit: 5, cursor: undefined };
  const page: ListVaultCredentialsResponse = await developer.list(query);
  const shown: VaultCredential = await developer.get(stored.id);
  const note: Json | undefined = shown.metadata["note"];
  await developer.list();
  await developer.delete(page.credentials[0]?.id ?? stored.id);
  await developer.revokeToken("jti");
  await developer.revokeGrant("grant");
  const wanted: ExchangeCredentialParams = { service: "github" };
  const plain: ExchangeForCredentialParams = { service: "github", delivery: null };
  const byReference: ExchangeForReferenceParams = { service: "github", delivery: "reference" };
  const { accessToken, tokenExpiresAt }: ExchangeCredentialResponse = await vault.exchange(grantToken, plain);
  const referred: ExchangeCredentialReferenceResponse = await vault.exchange(grantToken, byReference);
  const resolved: ExchangeCredentialResponse = await developer.resolveReference(referred.credentialRef);
  const either = await vault.exchange(grantToken, wanted);
  if ("credentialRef" in either) console.log(resolved.accessToken, either.referenceExpiresAt);
  const { fetch } = same;
  const response: Response = await fetch(new Request("https://vault.example/health"));
  return `${accessToken} ${tokenExpiresAt?.slice(0, 4)} ${JSON.stringify(note)} ${response.status} ${page.nextCursor?.length} ${developer.developerId}`;
}

export async function overHttp(signal: AbortSignal): Promise<void> {
  const clientOptions: VaultClientOptions = { baseUrl: new URL("https://vault.example"), apiKey: "gx_live_…", timeout: 5_000, maxRetries: 2, fetch: (url, init) => fetch(url, init) };
  const client = new VaultClient(clientOptions);
  const call: CallOptions = { signal };
  const { id } = await client.store({ principalId: "user", service: "github", accessToken: "gho" }, call);
  const { credentials } = await client.list({ service: "github" }, call);
  console.log(credentials.map(({ updatedAt }) => Date.parse(updatedAt)), (await client.get(id, call)).credentialType);
  await client.exchange("grant token", { service: "github" }, call);
  const { credentialRef } = await client.exchange("grant token", { service: "github", delivery: "reference" }, call);
  await client.resolveReference(credentialRef, call);
  await client.tokens.revoke("jti", call);
  await client.grants.revoke("grant", call);
  await client.delete(id, call);
  new VaultClient({ baseUrl: "https://vault.example", fetch });
}

export async function grants(token: string): Promise<string[]> {
  const verifier = new GrantVerifier(fetched);
  const grant: Grant = await verifier.verify(token);
  const depth: number = grant.delegationDepth;
  const parent: string | undefined = grant.parentGrantId;
  return verifier.permits(grant, "github") ? verifier.permittingScopes({ scopes: grant.scopes }, `${depth}${parent}`) : verifier.scopesFor("github");
}

export async function sealing(module: WebAssemblyModule): Promise<string> {
  await init();
  await init(module);
  await init(new URL("https://static.example/grant_vault_bg.wasm"));
  const sealer = new Sealer(key);
  return sealer.open(await sealer.seal("text", "context"), "context");
}

export async function storage(): Promise<void> {
  const kv = new MemoryKV();
  const putOptions: MemoryKVPutOptions = { expirationTtl: 60, metadata: { a: [1] } };
  await kv.put("a", "x", putOptions);
  await kv.put("b", new Uint8Array([1]));
  const text: string | null = await kv.get("a");
  const value: Json = await kv.get("a", "json");
  const bytes: ArrayBuffer | null = await kv.get("a", { type: "arrayBuffer" });
  const many: Map<string, string | null> = await kv.get(["a", "b"]);
  const entry: MemoryKVEntry<string> = await kv.getWithMetadata("a");
  const list: MemoryKVList = await kv.list({ prefix: "a", limit: 10 });
  const type: MemoryKVType = "stream";
  console.log(text, value, bytes?.byteLength, many.get("a"), entry.metadata, list.keys[0]?.expiration, type);
}

export function failures(error: unknown): Response | undefined {
  if (!(error instanceof VaultError)) return undefined;
  const known: VaultErrorCode = "NOT_FOUND";
  const id: string | undefined = error.requestId;
  console.log(error.cause, id, new VaultError("no", { code: known }).status);
  switch (error.code) {
    case "UNAUTHORIZED":
    case known:
      return new Response(JSON.stringify(error), { status: error.status });
    default:
      return undefined;
  }
}
