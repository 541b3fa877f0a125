// Light or dark: the system's choice, until the reader makes one. It isn't stored.

import { effect, signal } from "@preact/signals";

const system = matchMedia("(prefers-color-scheme: dark)");

export const isDark = signal(system.matches);
let wasChosen = false;

system.addEventListener("change", ({ matches }) => {
  if (!wasChosen) isDark.value = matches;
});

export function toggleTheme(): void {
  wasChosen = true;
  isDark.value = !isDark.value;
}

effect(() => {
  document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
});
