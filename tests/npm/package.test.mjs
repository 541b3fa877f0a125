// What is in the tarball and what isn't; and that neither of the crate's two faces has anything of the other.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { Miniflare } from "miniflare";
import { at, ROOT } from "../../scripts/lib/run.mjs";
import { pack, project } from "./support/package.mjs";

const LARGEST_TARBALL = 400_000;
const EXPORTS = ["GrantVerifier", "MemoryKV", "Sealer", "Vault", "VaultClient", "VaultError", "init"];

const folder = join(project(), "node_modules", "grant-vault");
const read = (path) => readFileSync(join(folder, path), "utf8");
const names = (text) => [...text.matchAll(/\b(?:VaultCore|VerifierCore|permittingScopes|scopesFor)\b/g)].map(([name]) => name);

test("the tarball is small and holds what it should", () => {
  const { size, files } = pack();
  assert.ok(size < LARGEST_TARBALL, `${size} bytes`);
  console.log(`the tarball has ${size} bytes`);
  const loose = files.filter((path) => !path.startsWith("dist/")).sort();
  assert.deepEqual(loose, ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "index.d.cts", "index.d.ts", "package.json"]);
  assert.deepEqual(files.filter((path) => path.endsWith(".wasm")), ["dist/grant_vault_bg.wasm"]);
});

test("its version is the crate's, and it depends on nothing", () => {
  const manifest = JSON.parse(read("package.json"));
  assert.equal(manifest.version, /^version = "(.+)"$/m.exec(readFileSync(at("Cargo.toml"), "utf8"))[1]);
  for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "scripts"]) assert.equal(manifest[field], undefined, field);
});

test("every file that package.json names is there", () => {
  const { main, module, types, exports, sideEffects } = JSON.parse(read("package.json"));
  const values = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(values));
  const paths = new Set([main, module, types, ...values(exports), ...sideEffects].map((path) => path.replace("./", "")));
  assert.ok(paths.size >= 8);
  for (const path of paths) assert.ok(pack().files.includes(path), path);
});

/** The files below a folder of the package, by their paths in it. */
function files(path) {
  const entries = readdirSync(join(folder, path), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

test("no path of the machine that built it is in it", () => {
  for (const name of ["package.json", "README.md", ...files("dist")]) {
    const bytes = readFileSync(join(folder, name));
    for (const path of [ROOT, join(homedir(), ".cargo"), process.env.CARGO_HOME].filter(Boolean)) assert.ok(!bytes.includes(path), `${path} in ${name}`);
  }
});

test("the types say nothing is any", () => {
  const code = read("index.d.ts").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  assert.doesNotMatch(code, /\bany\b/);
  assert.doesNotMatch(code, /\bbigint\b/i);
  assert.equal(read("index.d.cts"), read("index.d.ts"));
});

test("every runtime's entry exports the same", () => {
  const exported = (path) => [...read(path).matchAll(/export \{ ([^}]+) \}/g)].flatMap(([, list]) => list.split(", ")).sort();
  assert.deepEqual(exported("dist/index.js"), EXPORTS);
  assert.deepEqual(exported("dist/node.mjs"), EXPORTS);
  for (const entry of ["web", "workerd", "deno"]) assert.match(read(`dist/${entry}.js`), /^export \* from "\.\/index\.js";$/m);
  const types = [...read("index.d.ts").matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name).sort();
  assert.deepEqual(types, EXPORTS);
});

test("the core exports its six names, and the package has nothing of the Worker's", () => {
  const exported = [...read("dist/grant_vault_bg.js").matchAll(/^export (?:async )?(?:class|function) (\w+)/gm)].map(([, name]) => name);
  const own = exported.filter((name) => !name.startsWith("__wb")).sort();
  assert.deepEqual(own, ["VaultCore", "VerifierCore", "open", "permittingScopes", "scopesFor", "seal"]);
  const module = new WebAssembly.Module(readFileSync(join(folder, "dist", "grant_vault_bg.wasm")));
  const wasm = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(wasm.filter((name) => !/^(__|vaultcore_|verifiercore_|memory$|wasm_bindgen__convert__closures)/.test(name)).sort(), ["open", "permittingScopes", "scopesFor", "seal"]);
  for (const name of files("dist")) assert.ok(!readFileSync(join(folder, name)).includes("cloudflare:workers"), name);
});

test("the Worker's entry point can be fetched from, and nothing else of it can be called", async () => {
  const entry = readFileSync(at("build", "index.js"), "utf8");
  assert.deepEqual(names(entry), [], "names of the package's exports in the Worker");
  const wasm = new Uint8Array(readFileSync(at("build", "index_bg.wasm")));
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name);
  assert.deepEqual(exported.filter((name) => /vaultcore|verifiercore|permittingScopes|scopesFor|^seal$|^open$/.test(name)), []);

  const [probe, vault] = await probeAndVault(entry, wasm);
  const { exports, methods, calls } = await (await probe.fetch("http://probe/")).json();
  assert.deepEqual(exports, ["default"], "entry points");
  assert.deepEqual(methods, ["fetch"], "methods of the entry point");
  for (const [name, outcome] of Object.entries(calls)) assert.match(outcome, /does not implement/, `RPC: ${name} ${outcome}`);
  assert.equal((await vault.fetch("http://vault/v1/me")).status, 503, "it does answer");
});

/** The Worker, and beside it one that looks at its exports and tries to call them over RPC. */
async function probeAndVault(entry, wasm) {
  const probe = `
    import * as vault from "./index.js";
    export default {
      async fetch(request, env) {
        const exports = Object.keys(vault);
        const methods = Object.keys(vault.default);
        const calls = {};
        for (const name of [...Object.keys(vault), "store", "exchange", "get", "seal", "open", "handle", "env", "ctx", "free"]) {
          if (name === "default") continue;
          try {
            await env.VAULT_WORKER[name]("x");
            calls[name] = "was called";
          } catch (error) {
            calls[name] = String(error.message);
          }
        }
        return Response.json({ exports, methods, calls });
      },
    };`;
  const modules = { "index.js": { type: "esm", contents: entry }, "index_bg.wasm": { type: "wasm", contents: wasm } };
  const worker = (name, mainModule, more = {}, env = {}) => ({
    config: { name, compatibilityDate: "2026-11-01", manifest: { mainModule, modulesRoot: at("build"), modules: { ...modules, ...more } }, env },
  });
  const miniflare = new Miniflare({
    host: "127.0.0.1", port: 0, cf: false, telemetry: { enabled: false }, handleStructuredLogs: () => {},
    workers: [
      worker("probe", "probe.js", { "probe.js": { type: "esm", contents: probe } }, { VAULT_WORKER: { type: "worker", worker: "vault" } }),
      worker("vault", "index.js"),
    ],
  });
  after(() => miniflare.dispose());
  await miniflare.ready;
  return [await miniflare.getWorker("probe"), await miniflare.getWorker("vault")];
}
