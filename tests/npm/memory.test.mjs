// Memory stays flat: what crosses into the core is freed, dropped objects included.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { nodeBinary } from "../../scripts/lib/run.mjs";
import { fixture, project, readmeIssuer } from "./support/package.mjs";

/** A leak of 40 bytes a turn would be above it in each of these. */
const MOST_HEAP = 200_000;

const folder = project({ "issuer.mjs": readmeIssuer(), "instances.mjs": fixture("instances.mjs"), "memory.mjs": fixture("memory.mjs") });

function growth(workload) {
  return new Promise((resolve, reject) => {
    const child = spawn(nodeBinary(), ["--expose-gc", "memory.mjs", workload], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`exit code ${code}`))));
  });
}

for (const [workload, what] of [
  ["seal", "100,000 texts sealed and opened"],
  ["exchange", "20,000 exchanges"],
  ["objects", "5,000 vaults and verifiers, used once and dropped"],
  ["failures", "20,000 failures"],
]) {
  test(what, async () => {
    const { wasm, heap } = await growth(workload);
    console.log(`${what}: WebAssembly +${wasm} bytes, heap ${heap >= 0 ? "+" : ""}${heap} bytes`);
    assert.equal(wasm, 0);
    assert.ok(heap < MOST_HEAP, `${heap} bytes`);
  });
}

test("a leak would be seen", async () => {
  assert.ok((await growth("leak")).heap > MOST_HEAP);
});
