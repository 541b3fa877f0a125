// Copies a text and says that it did.

import { Check, Copy } from "lucide";
import { useState } from "preact/hooks";
import { tell } from "../model/toast";
import { Icon } from "./icon";

interface CopyButtonProps {
  /** What is copied, in words. */
  what: string;
  copy: () => Promise<void>;
  label?: string;
}

export function CopyButton({ what, copy, label }: CopyButtonProps) {
  const [isDone, setDone] = useState(false);
  const onClick = async () => {
    try {
      await copy();
    } catch {
      // Over plain http, or when the reader said no.
      tell(`This browser doesn't let the page copy ${what}: select it and copy it by hand.`);
      return;
    }
    setDone(true);
    setTimeout(() => setDone(false), 2000);
    tell(`Copied ${what}.`);
  };
  return (
    <button type="button" class={label ? "button button-quiet" : "icon-button"} aria-label={label ? undefined : `Copy ${what}`} onClick={onClick}>
      <Icon of={isDone ? Check : Copy} />
      {label}
    </button>
  );
}

export const copyText = (text: string) => async () => navigator.clipboard.writeText(text);
