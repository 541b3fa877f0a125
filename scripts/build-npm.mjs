// npm run build:npm: the npm package in pkg/, ready for `npm pack`. The crate's feature `js` as
// WebAssembly, and the JavaScript and types of npm/ around it.

import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at, isMain, must, npmProgram, Problem, readIfThere, rustFlags, script, step, toolEnv, writeWhole } from "./lib/run.mjs";
import { findTool, fingerprint, setUp, toolVersions } from "./lib/setup.mjs";

const TARGET = "wasm32-unknown-unknown";
/** Not the Worker's: both builds would write the same file. */
const TARGET_DIR = at("target", "npm");
const PACKAGE = at("pkg");
/** Where it is put together: pkg/ is replaced only by a package that is complete. */
const DRAFT = at("target", "npm", "pkg");
const DIST = join(DRAFT, "dist");
const STAMP = at("target", "npm", "package.stamp");
const SOURCES = ["src", "npm", "scripts/build-npm.mjs", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "LICENSE-MIT", "LICENSE-APACHE"];

/** Builds the package, if anything that it is made of has changed. @returns {Promise<void>} */
export async function buildPackage() {
  await setUp();
  const stamp = fingerprint(SOURCES);
  if (readIfThere(STAMP) === stamp && existsSync(at("pkg", "package.json"))) {
    console.log("✓ pkg/ is up to date");
    return;
  }
  rmSync(STAMP, { force: true });
  rmSync(DRAFT, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  await step("the crate as WebAssembly: cargo build, wasm-bindgen, wasm-opt", webAssembly);
  await step("npm package in pkg/", assemble);
  rmSync(PACKAGE, { recursive: true, force: true });
  renameSync(DRAFT, PACKAGE);
  writeWhole(STAMP, stamp);
}

async function webAssembly() {
  await must(["cargo", "build", "--locked", "--no-default-features", "--features", "js", "--target", TARGET, "--profile", "npm"], {
    env: toolEnv({ CARGO_TARGET_DIR: TARGET_DIR, CARGO_ENCODED_RUSTFLAGS: rustFlags() }),
  });
  const wasm = at("target", "npm", TARGET, "npm", "grant_vault.wasm");
  const wasmBindgen = findTool("wasm-bindgen", toolVersions().wasmBindgen);
  await must([wasmBindgen, "--target", "bundler", "--no-typescript", "--out-dir", DIST, "--out-name", "grant_vault", wasm]);
  // The package has loaders of its own.
  rmSync(join(DIST, "grant_vault.js"));
  const [large, small] = ["grant_vault_bg.wasm", "small.wasm"].map((name) => join(DIST, name));
  await must([npmProgram("wasm-opt"), "-Os", "--strip-debug", "--strip-producers", large, "-o", small]);
  renameSync(small, large);
}

async function assemble() {
  for (const name of readdirSync(at("npm", "src"))) {
    if (name !== "node.js") copyFileSync(at("npm", "src", name), join(DIST, name));
  }
  await bundleForNode();
  writeFileSync(join(DRAFT, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  copyFileSync(at("npm", "README.md"), join(DRAFT, "README.md"));
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(at(name), join(DRAFT, name));
  // TypeScript wants to be told twice: what is required has types of its own.
  for (const name of ["index.d.ts", "index.d.cts"]) copyFileSync(at("npm", "index.d.ts"), join(DRAFT, name));
}

/** node.cjs: every module of the package in one, as `require` and `import` both load it. */
async function bundleForNode() {
  const sources = at("target", "npm", "node");
  rmSync(sources, { recursive: true, force: true });
  cpSync(at("npm", "src"), sources, { recursive: true });
  for (const name of ["grant_vault_bg.js", "snippets"]) {
    cpSync(join(DIST, name), join(sources, name), { recursive: true });
  }
  await must([
    npmProgram("esbuild"), join(sources, "node.js"), "--bundle", "--format=cjs", "--platform=node", "--target=node20",
    "--log-level=warning", `--outfile=${join(DIST, "node.cjs")}`,
  ]);
}

/** npm/package.json, with the crate's version. */
function manifest() {
  const version = /^version = "([^"]+)"$/m.exec(readFileSync(at("Cargo.toml"), "utf8"))?.[1];
  if (!version) throw new Problem("Cargo.toml names no version.");
  const { name, ...rest } = JSON.parse(readFileSync(at("npm", "package.json"), "utf8"));
  return { name, version, ...rest };
}

if (isMain(import.meta)) await script(buildPackage);
