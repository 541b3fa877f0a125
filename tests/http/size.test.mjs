// Keeps the Worker small: what is uploaded counts against a Worker's limits and its start.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { BUILD } from "./support/worker.mjs";

/** In bytes, gzipped as Cloudflare does when it weighs a Worker. */
const MOST = 300_000;

test("the Worker's WebAssembly is at most 300 kB gzipped", (context) => {
  const size = gzipSync(readFileSync(join(BUILD, "index_bg.wasm"))).length;
  context.diagnostic(`${Math.round(size / 1000)} kB`);
  assert.ok(size <= MOST, `${size} bytes`);
});
