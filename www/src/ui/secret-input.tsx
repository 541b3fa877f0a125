// A text that isn't for every eye: dots until it is shown. Of several lines, as keys are, and nothing that a
// browser would keep, correct or send to be checked.

import { useState } from "preact/hooks";
import type { ControlAttributes } from "./field";

interface SecretInputProps extends ControlAttributes {
  name: string;
  value: string;
  rows?: number;
  placeholder?: string;
  onInput: (value: string) => void;
  onBlur?: () => void;
}

export function SecretInput({ onInput, onBlur, rows = 2, value, ...attributes }: SecretInputProps) {
  const [isShown, setShown] = useState(false);
  return (
    <div class="secret-input">
      <textarea
        {...attributes}
        rows={rows}
        class={isShown ? "mono" : "mono is-masked"}
        value={value}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        data-1p-ignore
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
        onBlur={onBlur}
      />
      {value !== "" && (
        <button type="button" class="secret-toggle" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? "Hide" : "Show"}
        </button>
      )}
    </div>
  );
}
