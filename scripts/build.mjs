// npm run build: what is deployed. The release Worker in build/, made by worker-build, and the console in
// build/www. Does the set-up first, and nothing when nothing has changed. wrangler calls it too ([build]
// in wrangler.toml), before dev and deploy.

import { existsSync, renameSync, rmSync } from "node:fs";
import { at, isMain, must, npmProgram, Problem, readIfThere, rustFlags, script, step, toolEnv, writeWhole } from "./lib/run.mjs";
import { findTool, fingerprint, setUp, toolVersions } from "./lib/setup.mjs";
import { buildWww } from "./build-www.mjs";

const STAMP = at("build", ".stamp");
const WASM = at("build", "index_bg.wasm");
const PRODUCTS = ["index.js", "index_bg.wasm"];
/** What the Worker is made of, beside the tools' versions. */
const SOURCES = ["src", "scripts/build.mjs", "build.rs", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"];

/** Sets up and builds, each only when needed. */
export async function build() {
  await setUp();
  // The console needs a build of the crate of its own, in a target directory of its own: side by side,
  // as the optimising half of either is the work of one processor.
  await Promise.all([buildWorker(), buildWww()]);
}

/** Builds the Worker alone, if what it is made of has changed; the set-up must be done. */
export async function buildWorker() {
  const stamp = fingerprint(SOURCES);
  if (readIfThere(STAMP) === stamp && PRODUCTS.every((name) => existsSync(at("build", name)))) {
    console.log("✓ build/ is up to date");
    return;
  }
  rmSync(STAMP, { force: true });
  await step("release Worker in build/: worker-build --release", compile);
  writeWhole(STAMP, stamp);
}

/**
 * How much code LLVM may copy to save a call: less than its 225 at this level. What an exchange takes in
 * WebAssembly stays the same, and the Worker gets 20 kB smaller, gzipped.
 */
const INLINING = "-Cllvm-args=-inline-threshold=100";

async function compile() {
  const { workerBuild, wasmBindgen } = toolVersions();
  // worker-build would download these three; they are here already, at versions that go together.
  const env = toolEnv({
    CARGO_ENCODED_RUSTFLAGS: rustFlags(INLINING),
    WASM_BINDGEN_BIN: findTool("wasm-bindgen", wasmBindgen),
    ESBUILD_BIN: npmProgram("esbuild"),
    WASM_OPT_BIN: npmProgram("wasm-opt"),
  });
  await must([findTool("worker-build", workerBuild), "--release"], { env });
  const missing = PRODUCTS.filter((name) => !existsSync(at("build", name)));
  if (missing.length > 0) throw new Problem(`worker-build made no build/${missing.join(" and no build/")}.`);
  if (!process.env.KEEP_NAMES) await must([npmProgram("wasm-opt"), "--strip-debug", WASM, "-o", WASM]);
  await bundle();
}

/** Puts the entry point of src/js/entry.js in front of what worker-build made. */
async function bundle() {
  const { build: esbuild } = await import("esbuild");
  const made = at("build", ".worker-build.js");
  renameSync(at("build", "index.js"), made);
  await esbuild({
    entryPoints: [at("src", "js", "entry.js")],
    outfile: at("build", "index.js"),
    alias: { "worker-build": made },
    external: ["./index_bg.wasm", "cloudflare:workers"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "esnext",
    legalComments: "none",
    logLevel: "error",
  });
  rmSync(made);
}

if (isMain(import.meta)) await script(build);
