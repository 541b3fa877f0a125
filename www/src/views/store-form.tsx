// The form that stores a credential, or replaces one, and says beforehand which of the two it will be.

import type { VaultCredential } from "grant-vault";
import { useEffect, useRef, useState } from "preact/hooks";
import { type StoreField, fieldNamed } from "../model/check";
import { type Draft, FIELDS, type Problems, draftOf, paramsOf, problemWith, problemsWith } from "../model/draft";
import { contextOf, seal } from "../model/sealing";
import { type Session, failure } from "../model/session";
import { tell } from "../model/toast";
import { Problem } from "../ui/field";
import { pressOver } from "../ui/press";
import { Sheet } from "../ui/sheet";
import { Fate, lookUp, useReplaced } from "./fate";
import { NO_SEALING, SealSwitch, type Sealing, sealingProblem } from "./seal-switch";
import { AboutToken, Tokens, WhichCredential } from "./store-fields";

interface StoreFormProps {
  session: Session;
  replaced?: VaultCredential;
  onClose: () => void;
}

export function StoreForm({ session, replaced, onClose }: StoreFormProps) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(replaced));
  const [problems, setProblems] = useState<Problems>({});
  const [sealing, setSealing] = useState<Sealing>(NO_SEALING);
  const [sealingTrouble, setSealingTrouble] = useState<string>();
  const [error, setError] = useState<{ message: string; requestId?: string }>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const fate = useReplaced(session.client, draft);
  const isReplacing = fate.known?.credential !== undefined;

  // Once its problems are on the page, the first field that has one gets the focus.
  useEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus(), [isBusy]);

  const change = (field: StoreField, value: string) => {
    setDraft((old) => ({ ...old, [field]: value }));
    setProblems((old) => ({ ...old, [field]: undefined }));
  };
  const check = async (field: StoreField) => {
    // An empty field isn't wrong until it is sent.
    if (draft[field] === "") return;
    const problem = await problemWith(field, draft);
    await pressOver();
    setProblems((old) => ({ ...old, [field]: problem }));
  };

  /** Everything that stands in the way, shown where it belongs; whether there is nothing. */
  const isReady = async () => {
    const found = await problemsWith(draft);
    const trouble = sealingProblem(sealing);
    setProblems(found);
    setSealingTrouble(trouble);
    return Object.keys(found).length === 0 && trouble === undefined;
  };

  /** Shows a refusal: beside the field that the vault names, else above them all. */
  const refuse = (refusal: { message: string; requestId?: string }) => {
    const field = fieldNamed(refusal.message, FIELDS);
    if (field) setProblems({ [field]: refusal.message });
    else setError(refusal);
  };

  const store = async () => {
    if (!(await isReady())) return;
    const current = await lookUp(session.client, draft.principalId, draft.service);
    // What the button said must be what happens: ask again, knowing better.
    if (current?.id !== fate.known?.credential?.id) return fate.learn(current);
    const params = paramsOf(sealing.isOn ? await sealed(draft, sealing.key) : draft);
    const stored = await session.client.store(params);
    session.listing.put({
      ...stored,
      tokenExpiresAt: params.tokenExpiresAt instanceof Date ? params.tokenExpiresAt.toISOString() : null,
      metadata: params.metadata ?? {},
      updatedAt: new Date().toISOString(),
    });
    tell(`${current ? "Replaced" : "Stored"} ${stored.service} of ${stored.principalId}.`);
    onClose();
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    await store().catch((thrown) => refuse(failure(thrown)));
    setBusy(false);
  };

  return (
    <Sheet title={replaced ? `Replace ${replaced.service}` : "Store a credential"} lead={replaced && <p class="sheet-lead mono">{replaced.principalId}</p>} onClose={onClose}>
      <form ref={form} class="sheet-form" onSubmit={submit} noValidate>
        <div class="sheet-body">
          {error && <Problem error={error} />}
          <WhichCredential draft={draft} problems={problems} isFixed={replaced !== undefined} change={change} check={check} />
          <Fate fate={fate} />
          <Tokens draft={draft} problems={problems} change={change} check={check} />
          <SealSwitch sealing={sealing} problem={sealingTrouble} context={contextOf(draft.principalId, draft.service)} onChange={(changed) => (setSealing(changed), setSealingTrouble(undefined))} />
          <AboutToken draft={draft} problems={problems} change={change} check={check} />
        </div>
        <footer class="sheet-foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-main" disabled={isBusy}>
            {isBusy ? "Storing…" : isReplacing ? "Replace it" : "Store it"}
          </button>
        </footer>
      </form>
    </Sheet>
  );
}

/** The draft with its tokens sealed: what the vault gets to see. */
async function sealed(draft: Draft, key: string): Promise<Draft> {
  const context = contextOf(draft.principalId, draft.service);
  const accessToken = await seal(key, draft.accessToken, context);
  const refreshToken = draft.refreshToken === "" ? "" : await seal(key, draft.refreshToken, context);
  return { ...draft, accessToken, refreshToken };
}
