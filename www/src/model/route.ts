// Which view is shown: the fragment of the address, which holds nothing else.

import { signal } from "@preact/signals";

export const VIEWS = { credentials: "Credentials", exchange: "Exchange" } as const;
export type View = keyof typeof VIEWS;

const current = (): View => (location.hash === "#exchange" ? "exchange" : "credentials");

export const view = signal<View>(current());

window.addEventListener("hashchange", () => {
  view.value = current();
});
