// Short notices of what was done.

import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
}

const SHOWN_FOR = 6000;
let last = 0;

export const toasts = signal<Toast[]>([]);

export function tell(text: string): void {
  const id = ++last;
  toasts.value = [...toasts.value, { id, text }];
  setTimeout(() => dismiss(id), SHOWN_FOR);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
