// Whether a store will make a credential or replace one: looked up as soon as it is known which one is meant.

import { Sparkles, TriangleAlert } from "lucide";
import type { VaultClient, VaultCredential } from "grant-vault";
import { useEffect, useState } from "preact/hooks";
import { now } from "../model/clock";
import { type Draft, problemWith } from "../model/draft";
import { relative } from "../model/expiry";
import { Icon } from "../ui/icon";
import { pressOver } from "../ui/press";

const PAUSE = 300;

/** The credential that a principal has for a service. @throws VaultError */
export async function lookUp(client: VaultClient, principalId: string, service: string, signal?: AbortSignal): Promise<VaultCredential | undefined> {
  return (await client.list({ principalId, service, limit: 1 }, { signal })).credentials[0];
}

export interface Replaced {
  /** Absent while it isn't known. */
  known: { credential: VaultCredential | undefined } | undefined;
  learn: (credential: VaultCredential | undefined) => void;
}

/** What a store for this principal and service would replace. */
export function useReplaced(client: VaultClient, names: Draft): Replaced {
  const { principalId, service } = names;
  const [known, setKnown] = useState<Replaced["known"]>();
  useEffect(() => {
    setKnown(undefined);
    if (principalId === "" || service === "") return;
    const controller = new AbortController();
    const look = async () => {
      // The vault isn't asked for names that can't be: those are for the fields to tell.
      if ((await problemWith("principalId", names)) ?? (await problemWith("service", names))) return;
      const credential = await lookUp(client, principalId, service, controller.signal);
      await pressOver();
      if (!controller.signal.aborted) setKnown({ credential });
    };
    // Where it can't be had now, the store looks once more, and tells.
    const timer = setTimeout(() => look().catch(() => {}), PAUSE);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [client, principalId, service]);
  return { known, learn: (credential) => setKnown({ credential }) };
}

export function Fate({ fate: { known } }: { fate: Replaced }) {
  const replaced = known?.credential;
  return (
    <div class="fate" role="status">
      {known && !replaced && (
        <p class="fate-new">
          <Icon of={Sparkles} />
          New: nothing is stored for this principal and service.
        </p>
      )}
      {replaced && (
        <p class="fate-replace">
          <Icon of={TriangleAlert} />
          <span>
            <strong>This replaces what is stored</strong>, last updated {relative(replaced.updatedAt, now.value)}. It keeps its id; everything else becomes what this form says, and what you leave empty is cleared, a refresh token included.
          </span>
        </p>
      )}
    </div>
  );
}
