// Whether a credential shall be gone, which nothing undoes.

import type { VaultCredential, VaultError } from "grant-vault";
import { useState } from "preact/hooks";
import { type Session, failure } from "../model/session";
import { tell } from "../model/toast";
import { Problem } from "../ui/field";
import { Sheet } from "../ui/sheet";

export function DeleteQuestion({ session, credential, onClose }: { session: Session; credential: VaultCredential; onClose: () => void }) {
  const { id, service, principalId } = credential;
  const [error, setError] = useState<VaultError>();
  const [isBusy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    try {
      await session.client.delete(id);
    } catch (thrown) {
      const refusal = failure(thrown);
      // Somebody else was quicker: it is gone, as was wanted.
      if (refusal.code !== "NOT_FOUND") {
        setError(refusal);
        setBusy(false);
        return;
      }
    }
    session.listing.remove(id);
    tell(`Deleted ${service} of ${principalId}.`);
    onClose();
  };
  return (
    <Sheet title={`Delete ${service}?`} kind="middle" onClose={onClose}>
      <div class="sheet-body">
        {error && <Problem error={error} />}
        <p>
          The {service} credential of <code>{principalId}</code> will be gone, its tokens with it. <strong>This can't be undone.</strong>
        </p>
        <p class="muted">No agent can exchange a grant for it any more; other locations take up to a minute to learn of that. The token itself stays valid at {service} until it is revoked there.</p>
      </div>
      <footer class="sheet-foot">
        <button type="button" class="button" onClick={onClose} disabled={isBusy}>
          Keep it
        </button>
        <button type="button" class="button button-danger" onClick={remove} disabled={isBusy}>
          {isBusy ? "Deleting…" : "Delete for good"}
        </button>
      </footer>
    </Sheet>
  );
}
