// Compiled, not run: each line after an @ts-expect-error must be an error, or the compiler complains.

import { GrantVerifier, MemoryKV, Sealer, Vault, VaultClient, VaultError, init, type KVNamespaceLike, type StoreCredentialParams } from "grant-vault";

const jwks = { keys: [] };
const grants = { issuer: "https://issuer.example", jwks };
const kv = new MemoryKV();
const encryptionKey = new Uint8Array(32);

export async function mistakes(vault: Vault, client: VaultClient, verifier: GrantVerifier, sealer: Sealer): Promise<void> {
  const developer = vault.developer("dev");

  // @ts-expect-error options are required
  new Vault();
  // @ts-expect-error no kv
  new Vault({ encryptionKey, grants });
  // @ts-expect-error no encryptionKey
  new Vault({ kv, grants });
  // @ts-expect-error no grants
  new Vault({ kv, encryptionKey });
  // @ts-expect-error a key is text or bytes
  new Vault({ kv, grants, encryptionKey: 5 });
  // @ts-expect-error no such option
  new Vault({ kv, encryptionKey, grants, encryptKey: encryptionKey });
  // @ts-expect-error not a namespace
  new Vault({ kv: new Map(), encryptionKey, grants });
  // @ts-expect-error sign-up is open or closed
  new Vault({ kv, encryptionKey, grants, signup: "maybe" });
  // @ts-expect-error keys come from one place
  new Vault({ kv, encryptionKey, grants: { ...grants, jwksUrl: "https://issuer.example/jwks" } });
  // @ts-expect-error or the other
  new GrantVerifier({ issuer: "https://issuer.example" });
  // @ts-expect-error an issuer is required
  new GrantVerifier({ jwks });
  // @ts-expect-error a JWK Set is an object
  new GrantVerifier({ issuer: "https://issuer.example", jwks: "{}" });

  // @ts-expect-error accessToken is missing
  await developer.store({ principalId: "user", service: "github" });
  // @ts-expect-error a principal is text
  await developer.store({ principalId: 5, service: "github", accessToken: "gho" });
  // @ts-expect-error a misspelt field
  await developer.store({ principalId: "user", service: "github", accessToken: "gho", metaData: {} });
  // @ts-expect-error metadata is an object
  await developer.store({ principalId: "user", service: "github", accessToken: "gho", metadata: [] });
  // @ts-expect-error metadata is JSON
  await developer.store({ principalId: "user", service: "github", accessToken: "gho", metadata: { at: new Date() } });
  // @ts-expect-error an expiry is a date or a timestamp
  await developer.store({ principalId: "user", service: "github", accessToken: "gho", tokenExpiresAt: 1_900_000_000 });
  // @ts-expect-error a limit is a number
  await developer.list({ limit: "5" });
  // @ts-expect-error which one?
  await developer.get();
  // @ts-expect-error a token is never shown
  (await developer.get("vault_1")).accessToken;
  // @ts-expect-error nor listed
  (await developer.list()).credentials[0]?.refreshToken;
  // @ts-expect-error nothing comes of a deletion
  (await developer.delete("vault_1")).id;
  // @ts-expect-error the service is missing
  await vault.exchange("grant token", {});
  // @ts-expect-error it is named, not a text
  await vault.exchange("grant token", "github");
  // @ts-expect-error an expiry may be null
  (await vault.exchange("grant token", { service: "github" })).tokenExpiresAt.slice(0, 4);
  // @ts-expect-error metadata may be anything that JSON can say
  (await vault.exchange("grant token", { service: "github" })).metadata["scope"].length;
  // @ts-expect-error a Request, not its URL
  await vault.fetch("https://vault.example/health");

  // @ts-expect-error a baseUrl is required
  new VaultClient({ apiKey: "gx_live_…" });
  // @ts-expect-error milliseconds, not text
  new VaultClient({ baseUrl: "https://vault.example", timeout: "5s" });
  // @ts-expect-error a signal is in the options
  await client.get("vault_1", new AbortController().signal.reason as string);
  // @ts-expect-error there is no such method
  await client.revoke("jti");

  // @ts-expect-error verifying takes time
  (verifier.verify("grant token")).scopes;
  // @ts-expect-error the grant, not its token
  verifier.permits("grant token", "github");
  // @ts-expect-error which service?
  verifier.permits({ scopes: [] });
  // @ts-expect-error a boolean is no list
  verifier.permits({ scopes: [] }, "github").length;

  // @ts-expect-error a key is required
  new Sealer();
  // @ts-expect-error so is a context
  await sealer.seal("text");
  // @ts-expect-error texts only
  await sealer.seal(new Uint8Array(1), "context");
  // @ts-expect-error it is a promise
  (sealer.seal("text", "context")).length;

  // @ts-expect-error a type that KV doesn't have
  await kv.get("a", "xml");
  // @ts-expect-error many keys are read as text or JSON
  await kv.get(["a"], "arrayBuffer");
  // @ts-expect-error it may be missing
  (await kv.get("a")).length;
  // @ts-expect-error seconds are a number
  await kv.put("a", "x", { expirationTtl: "60" });

  // @ts-expect-error an error needs a code
  new VaultError("message");
  // @ts-expect-error a code is read, not set
  new VaultError("message", { code: "NOT_FOUND" }).code = "CONFLICT";
  // @ts-expect-error not a source
  await init(5);

  // @ts-expect-error a namespace has delete, too
  const lacking: KVNamespaceLike = { get: kv.get, put: kv.put, list: kv.list };
  // @ts-expect-error nothing here is any
  const params: StoreCredentialParams = { principalId: "user", service: "github", accessToken: await developer.list() };
  console.log(lacking, params);
}
