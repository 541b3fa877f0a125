// Tokens sealed in this page before the vault gets them, with a key that is shown once and kept nowhere.

import { Sealer } from "grant-vault";

/** What a sealed token belongs to, and is needed to open it. A service's case doesn't matter. */
export const contextOf = (principalId: string, service: string) => `${principalId}/${service.toLowerCase()}`;

/** A new key, as `openssl rand -base64 32` writes one. */
export const newKey = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

/** What is wrong with a text as a key; undefined for nothing. */
export function keyProblem(text: string): string | undefined {
  try {
    new Sealer(text);
    return undefined;
  } catch {
    return "A sealing key is 32 bytes: 44 characters of base64, or 64 hexadecimal characters";
  }
}

export const seal = (key: string, token: string, context: string) => new Sealer(key).seal(token, context);
export const open = (key: string, sealed: string, context: string) => new Sealer(key).open(sealed, context);

/** Whether a token could be a sealed text: base64url of version 1, a nonce, a tag and a byte at least. */
export const looksSealed = (token: string) => /^A[Q-Za-f][\w-]{38,}$/.test(token);
