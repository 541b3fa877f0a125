// Proves that the Worker that is built here is the one that anybody builds from the same sources: a copy
// in another folder, compiled anew, comes out the same to the byte, and names no folder of the machine.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { at, nodeBinary, ROOT, toolEnv } from "../../scripts/lib/run.mjs";

const SOURCES = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package.json", "package-lock.json", "README.md", "benches", "scripts", "src"];
const PRODUCTS = ["index.js", "index_bg.wasm"];

const copy = mkdtempSync(join(tmpdir(), "grant-vault-elsewhere-"));
after(() => rmSync(copy, { recursive: true, force: true }));

test("two builds in two folders are the same", () => {
  for (const name of SOURCES) if (existsSync(at(name))) cpSync(at(name), join(copy, name), { recursive: true });
  for (const name of ["node_modules", ".tools"]) symlinkSync(at(name), join(copy, name));
  writeFileSync(join(copy, "worker-alone.mjs"), 'import { buildWorker } from "./scripts/build.mjs";\n\nawait buildWorker();\n');
  // The other folder's crates stay for the next time, the crate itself is compiled anew.
  const env = toolEnv({ CARGO_TARGET_DIR: at("target", "elsewhere") });
  const built = spawnSync(nodeBinary(), ["worker-alone.mjs"], { cwd: copy, env, encoding: "utf8" });
  assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
  for (const name of PRODUCTS) {
    assert.ok(readFileSync(join(copy, "build", name)).equals(readFileSync(at("build", name))), `build/${name} differs`);
  }
});

test("no folder of this machine is in them", () => {
  for (const name of PRODUCTS) {
    const bytes = readFileSync(at("build", name));
    for (const folder of [ROOT, homedir(), copy]) assert.ok(!bytes.includes(folder), `build/${name} holds ${folder}`);
  }
});
