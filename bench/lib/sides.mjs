// The sides: what each Worker is made of.

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { at, must, npmProgram, Problem, step, toolEnv } from "../../scripts/lib/run.mjs";
import { findTool, toolVersions } from "../../scripts/lib/setup.mjs";
import { send, SETTINGS } from "./world.mjs";

/** The side that others are compared with. */
export const BASE = "typescript";
/** The same, tuned for speed alone. */
export const TUNED = "typescript-tuned";

/** A vault as built into a folder. */
export function vaultSide(name, title, folder) {
  const modules = { "index.js": join(folder, "index.js"), "index_bg.wasm": join(folder, "index_bg.wasm") };
  for (const path of Object.values(modules)) if (!existsSync(path)) throw new Problem(`There is no ${path}.`);
  return { name, title, modules, settings: SETTINGS };
}

/** The TypeScript Worker, bundled as wrangler would. */
export async function typescriptSide(name, title, source, directory) {
  const { build } = await import("esbuild");
  const outfile = join(directory, `${name}.js`);
  await build({ entryPoints: [at("bench", "typescript", source)], outfile, bundle: true, minify: true, format: "esm", target: "es2024", conditions: ["workerd", "worker", "browser"], logLevel: "error" });
  return { name, title, modules: { "index.js": outfile }, settings: SETTINGS };
}

/** What the vault's answers cost at least, from what a vault's server is seen to do. */
export async function floorSide(directory, vault, asked) {
  const plan = {};
  for (const [name, [method, path, options]] of Object.entries(asked)) {
    await vault.control("record");
    const { status, headers, text } = await send(vault, method, path, options);
    plan[name] = { status, headers: [...headers].filter(([header]) => !/^(content-length|date|connection)$/.test(header)), body: text, operations: await vault.control("record") };
  }
  const file = join(directory, "plan.json");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(plan));
  return { name: "floor", title: "floor", modules: { "index.js": at("bench", "workers", "floor.js"), "plan.json": file } };
}

export const helloJs = { name: "hello-js", title: "JavaScript hello", modules: { "index.js": at("bench", "workers", "hello.js") } };

/** A hello in Rust, built as the vault is. */
export async function helloRs() {
  const crate = at("bench", "hello-rs");
  const folder = join(crate, "build");
  const written = (path) => statSync(join(crate, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const { workerBuild, wasmBindgen } = toolVersions();
  const env = toolEnv({ WASM_BINDGEN_BIN: findTool("wasm-bindgen", wasmBindgen), ESBUILD_BIN: npmProgram("esbuild"), WASM_OPT_BIN: npmProgram("wasm-opt") });
  if (["src/lib.rs", "Cargo.toml", "Cargo.lock"].some((path) => written(path) > written("build/index.js"))) {
    await step("workers-rs hello in bench/hello-rs/build: worker-build --release", () =>
      must([findTool("worker-build", workerBuild), "--release"], { quiet: true, env, cwd: crate }));
  }
  return { name: "hello-rs", title: "workers-rs hello", modules: { "index.js": join(folder, "index.js"), "index_bg.wasm": join(folder, "index_bg.wasm") } };
}
