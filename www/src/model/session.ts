// Who is signed in. The API key is in this tab's sessionStorage alone, and gone on sign-out.

import { signal } from "@preact/signals";
import { VaultClient, VaultError } from "grant-vault";
import { type Account, me } from "./http";
import { Listing } from "./listing";

const API_KEY = "grant-vault.api-key";

/** What a developer who is signed in has. */
export interface Session {
  account: Account;
  client: VaultClient;
  listing: Listing;
}

/** `undefined` until it is known whether this tab holds a key. */
export const session = signal<Session | null | undefined>(undefined);

/** Why the last session ended, where that was not the developer's own doing. */
export const farewell = signal<string | null>(null);

/** Signs in with a key that the vault knows. @throws VaultError, or a TypeError for what can't be a key */
export async function signIn(apiKey: string): Promise<void> {
  const client = clientFor(apiKey);
  const account = await me(apiKey);
  sessionStorage.setItem(API_KEY, apiKey);
  farewell.value = null;
  session.value = { account, client, listing: new Listing(client) };
}

/** Signs in again after a reload, if this tab holds a key. */
export async function resume(): Promise<void> {
  const apiKey = sessionStorage.getItem(API_KEY);
  if (apiKey === null) {
    session.value = null;
    return;
  }
  try {
    await signIn(apiKey);
  } catch (error) {
    signOut(error instanceof VaultError && error.status !== 401 ? `${error.message}. Sign in again when it answers.` : KEY_ENDED);
  }
}

const KEY_ENDED = "Your API key no longer works. Sign in with the one that took its place.";

/** Forgets the key and everything that was loaded with it. */
export function signOut(why: string | null = null): void {
  sessionStorage.clear();
  farewell.value = why;
  session.value = null;
}

/** Whoever looks at a page would rather know at once, and try again, than wait for as long as a vault may ask for. */
const AT_ONCE = { baseUrl: location.origin, maxRetries: 0 };

/** A client without a key: what an agent has. */
export const agentClient = () => new VaultClient(AT_ONCE);

const clientFor = (apiKey: string) => new VaultClient({ ...AT_ONCE, apiKey });

/** An error of a developer's call; one that says that the key has ended ends the session. */
export function failure(error: unknown): VaultError {
  const known = error instanceof VaultError ? error : new VaultError(error instanceof Error ? error.message : String(error), { code: "UNEXPECTED" });
  if (known.code === "UNAUTHORIZED") signOut(KEY_ENDED);
  return known;
}
