// Laid out for speed alone, which costs what the vault promises: only the tokens are sealed, so that a
// list is all in KV's metadata, where it fits, and whoever reads the storage sees who uses what. An
// exchange is one bulk read, as in the vault.

import { open, seal, vault, type Credential, type Details, type Env } from "./app";

type Tokens = Pick<Credential, "accessToken" | "refreshToken">;

interface Stored extends Details {
  sealed: string;
}

const METADATA_BYTES = 1024;
const encoder = new TextEncoder();

export default vault({
  async read(env, key, revocations) {
    const found = await env.VAULT.get<Stored>([key, ...revocations], "json");
    const revoked = revocations.some((one) => found.get(one) !== null);
    const stored = found.get(key);
    if (!stored || revoked) return { credential: null, revoked };
    const tokens = await open<Tokens>(env, key, Uint8Array.fromBase64(stored.sealed));
    return { credential: { ...stored, ...tokens }, revoked };
  },

  readDetails: (env: Env, key: string) => env.VAULT.get<Stored>(key, "json"),

  async write(env, key, { accessToken, refreshToken, ...details }) {
    const sealed = (await seal(env, key, { accessToken, refreshToken })).toBase64();
    const fits = encoder.encode(JSON.stringify(details)).length <= METADATA_BYTES;
    await env.VAULT.put(key, JSON.stringify({ ...details, sealed }), { metadata: fits ? details : {} });
  },

  async list(env, prefix) {
    const credentials: Details[] = [];
    const large: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await env.VAULT.list<Partial<Details>>({ prefix, cursor });
      for (const { name, metadata } of page.keys) {
        if (metadata?.id) credentials.push(metadata as Details);
        else large.push(name);
      }
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor);
    for (let i = 0; i < large.length; i += 100) {
      const found = await env.VAULT.get<Stored>(large.slice(i, i + 100), "json");
      for (const stored of found.values()) if (stored) credentials.push(stored);
    }
    return credentials;
  },
});
