// Waiting for something to become true, instead of sleeping for as long as it might take.

import { setTimeout as sleep } from "node:timers/promises";

/** Calls `get` until it gives something truthy, and returns that. */
export async function poll(what, get, { timeout = 5_000, interval = 10 } = {}) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const value = await get();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms in vain for ${what}`);
    await sleep(interval);
  }
}
