// npm run build:www: the console in build/www, which the Worker serves. What is in www/, bundled by Vite
// with the npm package of pkg/, whose public face is all that it uses of this repository.

import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { buildPackage } from "./build-npm.mjs";
import { at, isMain, must, nodeBinary, Problem, readIfThere, script, step, writeWhole } from "./lib/run.mjs";
import { fingerprint } from "./lib/setup.mjs";

const OUT = at("build", "www");
const STAMP = at("build", ".www.stamp");
const SOURCES = ["www", "pkg", "scripts/build-www.mjs", "package-lock.json"];
/** Files that are served as they are, beside those of www/public/. */
const DOCUMENTS = ["openapi.json", "reference.html"];

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
  for (const name of DOCUMENTS) {
    if (existsSync(at("www", name))) copyFileSync(at("www", name), join(OUT, name));
  }
  if (!existsSync(join(OUT, "index.html"))) throw new Problem("vite made no build/www/index.html.");
}

if (isMain(import.meta)) await script(buildWww);
