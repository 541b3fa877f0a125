// A Worker of one's own that holds the vault: it serves the vault's HTTP contract, and uses it itself.

import { Vault, VaultError } from "grant-vault";

interface Env {
  CREDENTIALS: KVNamespace;
  VAULT_ENCRYPTION_KEY: string;
  ADMIN_API_KEY: string;
  GRANT_ISSUER: string;
  GRANT_JWKS_URL: string;
}

/** One for each isolate, as it holds the issuer's keys. */
let vault: Vault | undefined;

function openVault(env: Env): Vault {
  return new Vault({
    kv: env.CREDENTIALS,
    encryptionKey: env.VAULT_ENCRYPTION_KEY,
    adminApiKey: env.ADMIN_API_KEY,
    grants: { issuer: env.GRANT_ISSUER, jwksUrl: env.GRANT_JWKS_URL },
  });
}

export default {
  async fetch(request, env): Promise<Response> {
    vault ??= openVault(env);
    const { pathname } = new URL(request.url);
    if (pathname === "/agent/repositories") return repositories(vault, request);
    return vault.fetch(request); // the whole HTTP contract
  },
} satisfies ExportedHandler<Env>;

/** What an agent may do with a grant but without the credential: the token stays in here. */
async function repositories(vault: Vault, request: Request): Promise<Response> {
  const grantToken = request.headers.get("Authorization")?.replace(/^Bearer +/i, "") ?? "";
  try {
    const { accessToken } = await vault.exchange(grantToken, { service: "github" });
    return await fetch("https://api.github.com/user/repos", {
      headers: { Authorization: `Bearer ${accessToken}`, "User-Agent": "my-worker" },
    });
  } catch (error) {
    if (error instanceof VaultError) return Response.json(error, { status: error.status });
    throw error;
  }
}
