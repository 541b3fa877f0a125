// A dialog: at the side for what is looked at or filled in, in the middle for a question. The browser's own
// <dialog> keeps the focus inside and closes on Escape.

import { X } from "lucide";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";

/** What had the focus before the first of the dialogs that follow each other. */
let opener: Element | null = null;

function noteOpener(): void {
  const { activeElement } = document;
  if (activeElement && activeElement !== document.body && !activeElement.closest("dialog")) opener = activeElement;
}

/** Gives the focus back; to the view's heading, where what had it is gone. */
function backToOpener(): void {
  if (document.querySelector("dialog[open]")) return;
  const place = opener?.isConnected ? opener : document.querySelector("h1");
  if (place instanceof HTMLElement) place.focus();
}

interface SheetProps {
  title: string;
  kind?: "side" | "middle";
  lead?: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
}

export function Sheet({ title, kind = "side", lead, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // With the change itself, not after it is painted: a key pressed in between would go nowhere.
  useLayoutEffect(() => {
    const element = dialog.current;
    noteOpener();
    element?.showModal();
    return () => {
      element?.close();
      queueMicrotask(backToOpener);
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`sheet sheet-${kind}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
    >
      <div class="sheet-inner">
        <header class="sheet-head">
          <div>
            <h2 id={id} tabIndex={-1}>{title}</h2>
            {lead}
          </div>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            <Icon of={X} size={18} />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
