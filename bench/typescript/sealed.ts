// Everything of a credential is sealed, as in the vault: the value holds all of it as bytes, and KV's
// metadata what a list shows, where that fits. What a call needs from KV is read at the same time.

import { open, seal, vault, type Credential, type Details, type Env } from "./app";

interface Summary {
  sealed?: string;
}

const METADATA_BYTES = 1024;

async function readOne(env: Env, key: string): Promise<Credential | null> {
  const value = await env.VAULT.get(key, "arrayBuffer");
  return value && open(env, key, new Uint8Array(value));
}

export default vault({
  async read(env, key, revocations) {
    const [credential, ...revoked] = await Promise.all([readOne(env, key), ...revocations.map((one) => env.VAULT.get(one))]);
    return { credential, revoked: revoked.some((one) => one !== null) };
  },

  readDetails: readOne,

  async write(env, key, credential) {
    const { accessToken, refreshToken, ...details } = credential;
    const [value, summary] = await Promise.all([seal(env, key, credential), seal(env, `${key} summary`, details)]);
    const sealed = summary.toBase64();
    await env.VAULT.put(key, value, { metadata: sealed.length + 20 > METADATA_BYTES ? {} : { sealed } });
  },

  async list(env, prefix) {
    const credentials: Promise<Details | null>[] = [];
    let cursor: string | undefined;
    do {
      const page = await env.VAULT.list<Summary>({ prefix, cursor });
      for (const { name, metadata } of page.keys) {
        credentials.push(metadata?.sealed ? open(env, `${name} summary`, Uint8Array.fromBase64(metadata.sealed)) : readOne(env, name));
      }
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor);
    return (await Promise.all(credentials)).filter((one) => one !== null);
  },
});
