// The types, under tsc --strict, with and without the DOM: what uses every export compiles, every mistake
// doesn't, and a Worker's own KV namespace will do.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { at, nodeBinary } from "../../scripts/lib/run.mjs";
import { project } from "./support/package.mjs";

const TSC = at("node_modules", "typescript", "bin", "tsc");
const STRICT = {
  strict: true, noEmit: true, target: "es2022", lib: ["es2022"], types: [], skipLibCheck: false,
  exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: true, noImplicitOverride: true,
};
const source = (name) => readFileSync(at("tests", "npm", "types", name), "utf8");
const [everything, mistakes] = ["uses-everything.ts", "must-not-compile.ts"].map(source);

/** What tsc says of a project's files; empty when it is content. */
function complaints(files, compilerOptions, { type, link } = {}) {
  const folder = project({ ...files, "tsconfig.json": JSON.stringify({ compilerOptions: { ...STRICT, ...compilerOptions }, files: Object.keys(files) }) }, { type, link });
  const { stdout, stderr } = spawnSync(nodeBinary(), [TSC, "-p", folder], { cwd: folder, encoding: "utf8" });
  return `${stdout}${stderr}`.replaceAll(join(folder, "/"), "").trim();
}

const surroundings = {
  "a bundler, in a page": [{ "a.ts": everything, "b.ts": mistakes }, { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"] }],
  "Node, ES modules": [{ "a.mts": everything, "b.mts": mistakes }, { module: "nodenext", types: ["node"] }, { link: ["@types/node"] }],
  "Node, CommonJS": [{ "a.cts": everything, "b.cts": mistakes }, { module: "node16", types: ["node"] }, { type: "commonjs", link: ["@types/node"] }],
  "a Worker": [{ "a.ts": everything, "b.ts": mistakes }, { module: "esnext", moduleResolution: "bundler", types: ["@cloudflare/workers-types"] }, { link: ["@cloudflare/workers-types"] }],
};

for (const [where, [files, options, more]] of Object.entries(surroundings)) {
  test(`tsc --strict: ${where}`, () => assert.equal(complaints(files, options, more), ""));
}

test("the compiler would see a mistake", () => {
  const [, options] = surroundings["a bundler, in a page"];
  const text = complaints({ "a.ts": 'import { Vault } from "grant-vault";\nnew Vault({ kv: 5 });\n// @ts-expect-error nothing is wrong\nexport const a: number = 5;\n' }, options);
  assert.match(text, /a\.ts\(2,/);
  assert.match(text, /a\.ts\(3,\d+\): error TS2578/);
});

test("every export is used", () => {
  const exported = [...readFileSync(at("npm", "index.d.ts"), "utf8").matchAll(/^export (?:class|interface|type|function) (\w+)/gm)].map(([, name]) => name);
  assert.ok(exported.length > 30);
  const body = everything.replace(/^import[\s\S]*?from "grant-vault";$/m, "");
  for (const name of exported) assert.match(body, new RegExp(`\\b${name}\\b`), name);
});

test("every export is documented", () => {
  const text = readFileSync(at("npm", "index.d.ts"), "utf8");
  const bare = [...text.matchAll(/^(.*)\n(?:export (?:class|function) \w+.*)$/gm)].filter(([, line]) => !line.endsWith("*/")).map(([match]) => match);
  assert.deepEqual(bare, []);
});

test("a Worker's KV namespace is one", () => {
  const text = 'import { Vault, type KVNamespaceLike } from "grant-vault";\nexport const as = (kv: KVNamespace): KVNamespaceLike => kv;\nexport const vault = (kv: KVNamespace) => new Vault({ kv, encryptionKey: "", grants: { issuer: "", jwks: { keys: [] } } });\nexport default { fetch: (request) => vault({} as KVNamespace).fetch(request) } satisfies ExportedHandler;\n';
  assert.equal(complaints({ "a.ts": text }, { module: "esnext", moduleResolution: "bundler", types: ["@cloudflare/workers-types"] }, { link: ["@cloudflare/workers-types"] }), "");
});

test("MemoryKV has the methods of a Worker's KV namespace", () => {
  const text = 'import { MemoryKV } from "grant-vault";\nexport const as = (kv: MemoryKV): Pick<KVNamespace, "put" | "delete"> => kv;\nexport const get = (kv: MemoryKV): Promise<string | null> => kv.get("a");\n';
  assert.equal(complaints({ "a.ts": text }, { module: "esnext", moduleResolution: "bundler", types: ["@cloudflare/workers-types"] }, { link: ["@cloudflare/workers-types"] }), "");
});

test("the example Worker", () => {
  const folder = project({}, { from: at("examples", "worker"), link: ["@cloudflare/workers-types"] });
  const { stdout } = spawnSync(nodeBinary(), [TSC, "-p", folder], { cwd: folder, encoding: "utf8" });
  assert.equal(stdout, "");
});
