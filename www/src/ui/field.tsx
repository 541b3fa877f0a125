// A control with its label, its hint and what is wrong with it, all of which are read out with it.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  problem?: string;
  optional?: boolean;
  /** Beside the label. */
  aside?: ComponentChildren;
  children: (attributes: ControlAttributes) => ComponentChildren;
}

export interface ControlAttributes {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
  "aria-required": boolean | undefined;
}

export function Field({ label, hint, problem, optional, aside, children }: FieldProps) {
  const id = useId();
  const describedBy = [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div class={`field ${problem === undefined ? "" : "has-problem"}`}>
      <div class="field-head">
        <label for={id}>{label}</label>
        {optional && <span class="field-optional">optional</span>}
        {aside}
      </div>
      {children({
        id,
        "aria-describedby": describedBy || undefined,
        "aria-invalid": problem === undefined ? undefined : true,
        "aria-required": optional ? undefined : true,
      })}
      {problem !== undefined && (
        <p class="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** What went wrong with a whole form or view, read out at once. */
export function Problem({ error, children }: { error: { message: string; requestId?: string }; children?: ComponentChildren }) {
  return (
    <div class="problem" role="alert">
      <p>{error.message}</p>
      {error.requestId && (
        <p class="problem-id">
          Request <code>{error.requestId}</code>
        </p>
      )}
      {children}
    </div>
  );
}
