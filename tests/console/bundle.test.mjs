// What is served: small, of the package's public face, with nothing inline, and of types that agree.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { at, npmProgram } from "../../scripts/lib/run.mjs";

/** Most that the console may weigh without the WebAssembly, in bytes, gzipped. */
const LIMIT = 150_000;

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

const built = files(at("build", "www"));
const sources = files(at("www", "src"));

test("it weighs less than 150 kB, fonts included", (t) => {
  const own = built.filter((path) => !path.endsWith(".wasm") && !/\/(openapi\.json|reference\.html)$/.test(path));
  const weight = own.reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0);
  t.diagnostic(`${weight} bytes gzipped`);
  assert.ok(weight < LIMIT, `${weight} bytes`);
});

test("it has one WebAssembly file, the package's", () => {
  const wasm = built.filter((path) => path.endsWith(".wasm"));
  assert.equal(wasm.length, 1);
  assert.deepEqual(readFileSync(wasm[0]), readFileSync(at("pkg", "dist", "grant_vault_bg.wasm")));
});

test("the page has no inline script or style, and names no other host", () => {
  const html = readFileSync(at("build", "www", "index.html"), "utf8");
  for (const [tag] of html.matchAll(/<script[^>]*>/g)) assert.match(tag, /\bsrc="\/assets\//);
  assert.doesNotMatch(html, /<style|style=|\son\w+=|https?:\/\//);
});

test("the sources use the package's public face alone", () => {
  for (const path of sources.filter((name) => /\.tsx?$/.test(name))) {
    for (const [, from] of readFileSync(path, "utf8").matchAll(/\bfrom "([^"]+)"/g)) {
      if (from.startsWith(".")) assert.ok(!relative(at("www", "src"), join(path, "..", from)).startsWith(".."), `${path} imports ${from}`);
      else assert.ok(["grant-vault", "jose", "lucide", "preact", "preact/hooks", "@preact/signals"].includes(from), `${path} imports ${from}`);
    }
  }
});

test("the types agree", () => {
  try {
    execFileSync(npmProgram("tsc"), ["-p", at("www")], { encoding: "utf8", shell: process.platform === "win32" });
  } catch ({ stdout }) {
    assert.fail(stdout);
  }
});
