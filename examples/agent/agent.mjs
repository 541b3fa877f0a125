// An agent that lists somebody's GitHub repositories. It has a grant, and no credential of its own.

import { VaultClient, VaultError } from "grant-vault";

const { VAULT_URL = "http://localhost:8787", GITHUB_API = "https://api.github.com", GRANT_TOKEN } = process.env;
if (!GRANT_TOKEN) {
  console.error("Set GRANT_TOKEN to a grant token with the scope github:read.");
  process.exit(2);
}

const vault = new VaultClient({ baseUrl: VAULT_URL });

try {
  const credential = await vault.exchange(GRANT_TOKEN, { service: "github" }, { signal: AbortSignal.timeout(60_000) });
  if (credential.tokenExpiresAt && Date.parse(credential.tokenExpiresAt) < Date.now()) {
    console.error("The user's GitHub token has expired: they have to connect GitHub again.");
    process.exit(1);
  }
  // Asked for when it is needed, used, and not kept.
  const response = await fetch(`${GITHUB_API}/user/repos`, {
    headers: { Authorization: `Bearer ${credential.accessToken}`, Accept: "application/vnd.github+json", "User-Agent": "example-agent" },
  });
  if (!response.ok) throw new Error(`GitHub answered with status ${response.status}`);
  for (const repository of await response.json()) console.log(repository.full_name);
} catch (error) {
  if (!(error instanceof VaultError)) throw error;
  const advice = {
    UNAUTHORIZED: "The grant has ended: ask the user for a new one.",
    FORBIDDEN: "The grant doesn't cover GitHub.",
    NOT_FOUND: "The user hasn't connected GitHub.",
  };
  console.error(`${advice[error.code] ?? error.message} (${error.code}, ${error.requestId ?? "no request id"})`);
  process.exit(1);
}
