// Thousands of credentials at once. What the package writes the Worker reads: they are stored by the package in
// this process, and the records put into the Worker's storage as they are.

import { MemoryKV, Vault } from "../../../pkg/dist/node.mjs";

/** Stores credentials in a vault whose storage is the stub. */
export async function storeThousands({ vault, developerId }, credentials) {
  const kv = new MemoryKV();
  const grants = { issuer: "https://issuer.invalid", jwksUrl: "https://issuer.invalid/jwks" };
  const developer = new Vault({ kv, encryptionKey: vault.worker.settings.VAULT_ENCRYPTION_KEY, grants }).developer(developerId);
  for (const credential of credentials) await developer.store(credential);
  const entries = [];
  let cursor;
  do {
    const page = await kv.list({ prefix: "cred:", limit: 1000, cursor });
    for (const { name, metadata } of page.keys) entries.push([name, { value: await kv.get(name), metadata }]);
    cursor = page.cursor;
  } while (cursor);
  await vault.worker.fillStub(entries);
}
