// npm run build: the release Worker in build/, made by worker-build. Does the set-up first, and nothing
// when nothing has changed. wrangler calls it too ([build] in wrangler.toml), before dev and deploy.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { at, isMain, must, output, Problem, readIfThere, script, step, toolEnv, WINDOWS, writeWhole } from "./lib/run.mjs";
import { findTool, setUp, toolVersions } from "./lib/setup.mjs";

const STAMP = at("build", ".stamp");
const PRODUCTS = ["index.js", "index_bg.wasm"];
/** What the Worker is made of, beside the tools' versions. */
const SOURCES = ["src", "build.rs", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"];

/** Sets up and builds, each only when needed. */
export async function build() {
  await setUp();
  const stamp = fingerprint();
  if (readIfThere(STAMP) === stamp && PRODUCTS.every((name) => existsSync(at("build", name)))) {
    console.log("✓ build/ is up to date");
    return;
  }
  rmSync(STAMP, { force: true });
  await step("release Worker in build/: worker-build --release", compile);
  writeWhole(STAMP, stamp);
}

async function compile() {
  const { workerBuild, wasmBindgen } = toolVersions();
  const npmProgram = (name) => at("node_modules", ".bin", WINDOWS ? `${name}.cmd` : name);
  // worker-build would download these three; they are here already, at versions that go together.
  const env = toolEnv({
    WASM_BINDGEN_BIN: findTool("wasm-bindgen", wasmBindgen),
    ESBUILD_BIN: npmProgram("esbuild"),
    WASM_OPT_BIN: npmProgram("wasm-opt"),
  });
  await must([findTool("worker-build", workerBuild), "--release"], { env });
  const missing = PRODUCTS.filter((name) => !existsSync(at("build", name)));
  if (missing.length > 0) throw new Problem(`worker-build made no build/${missing.join(" and no build/")}.`);
}

/** Changes whenever the Worker could: every source file and every tool's version goes into it. */
function fingerprint() {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([toolVersions(), output(["rustc", "--version"])]));
  const add = (path) => {
    if (!existsSync(at(path))) return;
    let names;
    try {
      names = readdirSync(at(path)).sort();
    } catch {
      hash.update(`\0${path}\0`).update(readFileSync(at(path)));
      return;
    }
    for (const name of names) add(`${path}/${name}`);
  };
  SOURCES.forEach(add);
  return hash.digest("hex");
}

if (isMain(import.meta)) await script(build);
