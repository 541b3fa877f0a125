// npm run build:www: the console and the reference of the API in build/www, which the Worker serves. What is
// in www/, bundled by Vite with the npm package of pkg/, whose public face is all that it uses of this
// repository.

import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { buildPackage } from "./build-npm.mjs";
import { at, isMain, must, nodeBinary, Problem, readIfThere, script, step, writeWhole } from "./lib/run.mjs";
import { fingerprint } from "./lib/setup.mjs";

const OUT = at("build", "www");
const STAMP = at("build", ".www.stamp");
const SOURCES = ["www", "pkg", "scripts/build-www.mjs", "scripts/lib/reference.mjs", "package-lock.json"];

/** Builds the package and the console, each only when needed. @returns {Promise<void>} */
export async function buildWww() {
  await buildPackage();
  const stamp = fingerprint(SOURCES);
  if (readIfThere(STAMP) === stamp && existsSync(join(OUT, "index.html"))) {
    console.log("✓ build/www is up to date");
    return;
  }
  await step("console in build/www: vite build", bundle);
  writeWhole(STAMP, stamp);
}

async function bundle() {
  const vite = at("node_modules", "vite", "bin", "vite.js");
  await must([nodeBinary(), vite, "build", at("www"), "--outDir", OUT, "--emptyOutDir", "--logLevel", "warn"]);
  copyFileSync(at("www", "openapi.json"), join(OUT, "openapi.json"));
  if (!existsSync(join(OUT, "index.html"))) throw new Problem("vite made no build/www/index.html.");
}

if (isMain(import.meta)) await script(buildWww);
