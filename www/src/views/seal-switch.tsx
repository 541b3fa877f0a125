// The choice to seal a token in this page first, and the key for that: made here and shown once, or pasted.

import { LockKeyhole } from "lucide";
import { keyProblem, newKey } from "../model/sealing";
import { CopyButton, copyText } from "../ui/copy-button";
import { Field } from "../ui/field";
import { Icon } from "../ui/icon";
import { SecretInput } from "../ui/secret-input";

export interface Sealing {
  isOn: boolean;
  isNew: boolean;
  key: string;
  /** Whether the reader says that a new key is in a safe place. */
  isKept: boolean;
}

export const NO_SEALING: Sealing = { isOn: false, isNew: true, key: "", isKept: false };

/** What stands in the way of sealing; undefined for nothing. */
export function sealingProblem({ isOn, isNew, key, isKept }: Sealing): string | undefined {
  if (!isOn) return undefined;
  if (isNew && key === "") return "Make a sealing key first";
  if (isNew && !isKept) return "Confirm that you have kept the key: nobody can open the token without it";
  return keyProblem(key.trim());
}

interface SealSwitchProps {
  sealing: Sealing;
  problem?: string;
  context: string;
  onChange: (sealing: Sealing) => void;
}

export function SealSwitch({ sealing, problem, context, onChange }: SealSwitchProps) {
  const set = (changed: Partial<Sealing>) => onChange({ ...sealing, ...changed });
  return (
    <section class={`seal ${sealing.isOn ? "is-on" : ""}`} aria-label="Sealing">
      <label class="switch">
        <input type="checkbox" role="switch" name="seal" checked={sealing.isOn} onChange={({ currentTarget }) => onChange({ ...NO_SEALING, isOn: currentTarget.checked })} />
        <span class="switch-track" aria-hidden="true" />
        <span>
          <span class="switch-name">
            <Icon of={LockKeyhole} />
            Seal the tokens in this browser first
          </span>
          <span class="switch-text">The vault then holds, and hands out, a text that only your key opens. The vault never sees the key.</span>
        </span>
      </label>
      {sealing.isOn && (
        <div class="seal-body">
          <fieldset class="choice">
            <legend>Sealing key</legend>
            <label>
              <input type="radio" name="key-source" checked={sealing.isNew} onChange={() => set({ isNew: true, key: "", isKept: false })} />
              <span>Make a new one</span>
            </label>
            <label>
              <input type="radio" name="key-source" checked={!sealing.isNew} onChange={() => set({ isNew: false, key: "", isKept: false })} />
              <span>Use one that I have</span>
            </label>
          </fieldset>
          {sealing.isNew ? <NewKey sealing={sealing} set={set} /> : (
            <Field label="Your sealing key" hint="32 bytes, as base64 or hexadecimal. It is kept nowhere.">
              {(attributes) => <SecretInput {...attributes} name="sealingKey" rows={1} value={sealing.key} onInput={(key) => set({ key: key.trim() })} />}
            </Field>
          )}
          <p class="seal-note">
            The agent opens it with <code>Sealer</code> of the npm package, this key, and the context <code>{context}</code>.
          </p>
        </div>
      )}
      {problem && (
        <p class="field-problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

function NewKey({ sealing, set }: { sealing: Sealing; set: (changed: Partial<Sealing>) => void }) {
  if (sealing.key === "") {
    return (
      <button type="button" class="button" onClick={() => set({ key: newKey() })}>
        Make a key
      </button>
    );
  }
  return (
    <>
      <div class="shown-once">
        <code class="shown-once-text">{sealing.key}</code>
        <CopyButton what="the sealing key" label="Copy" copy={copyText(sealing.key)} />
      </div>
      <label class="tick">
        <input type="checkbox" name="keyKept" checked={sealing.isKept} onChange={({ currentTarget }) => set({ isKept: currentTarget.checked })} />
        <span>I have kept this key. It is shown this once and stored nowhere; without it nobody can open the token.</span>
      </label>
    </>
  );
}
