// A secret that is held for a while and then forgotten, in the page and, as well as can be, in the clipboard.

import { signal } from "@preact/signals";

const LIFETIME_SECONDS = 60;

export class HeldSecret {
  #text: string;
  #timer: ReturnType<typeof setInterval>;
  #wasCopied = false;
  readonly secondsLeft = signal(LIFETIME_SECONDS);
  readonly isRevealed = signal(false);

  constructor(text: string) {
    this.#text = text;
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  get isGone(): boolean {
    return this.secondsLeft.value === 0;
  }

  /** The secret; empty when it is gone. */
  expose(): string {
    return this.#text;
  }

  extend(): void {
    this.secondsLeft.value += LIFETIME_SECONDS;
  }

  /** Copies it. @throws where the browser doesn't allow that */
  async copy(): Promise<void> {
    await navigator.clipboard.writeText(this.#text);
    this.#wasCopied = true;
  }

  /** Another text takes its place, and its time: what was sealed is open now. */
  replace(text: string): void {
    this.#text = text;
    this.isRevealed.value = false;
  }

  forget(): void {
    clearInterval(this.#timer);
    this.#text = "";
    this.isRevealed.value = false;
    this.secondsLeft.value = 0;
    if (this.#wasCopied) clearClipboard();
    this.#wasCopied = false;
  }

  #tick(): void {
    if (this.secondsLeft.value <= 1) this.forget();
    else this.secondsLeft.value -= 1;
  }
}

/** Empties the clipboard: now, or when the page is next looked at, as browsers allow it only then. */
function clearClipboard(): void {
  const clear = () => navigator.clipboard.writeText("");
  clear().catch(() => window.addEventListener("focus", () => clear().catch(() => {}), { once: true }));
}
