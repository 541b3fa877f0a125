// The built Worker inside this process, so that a test can read the WebAssembly memory that a later
// request would find: what workerd gives a Worker that Node doesn't have is put in its place.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { npmProgram } from "../../../scripts/lib/run.mjs";
import { BUILD } from "./worker.mjs";

/** A namespace of Workers KV in a Map: what the Worker asks of it. */
export function mapNamespace() {
  const entries = new Map();
  return {
    entries,
    async get(key) {
      if (!Array.isArray(key)) return entries.get(key)?.value ?? null;
      return new Map(key.map((one) => [one, entries.get(one)?.value ?? null]));
    },
    async put(key, value, { metadata } = {}) {
      entries.set(key, { value, metadata });
    },
    async delete(key) {
      entries.delete(key);
    },
    async list({ prefix = "" }) {
      const names = [...entries.keys()].filter((name) => name.startsWith(prefix)).sort();
      return { keys: names.map((name) => ({ name, metadata: entries.get(name).metadata })), list_complete: true };
    },
  };
}

/** The same WebAssembly with its imports one by one: wasm-opt writes them in a form that Node doesn't read yet. */
function readableToNode(wasm, folder) {
  const [text, plain] = ["worker.wat", "worker.wasm"].map((name) => join(folder, name));
  execFileSync(npmProgram("wasm-dis"), ["--all-features", wasm, "-o", text]);
  execFileSync(npmProgram("wasm-as"), ["--all-features", "--disable-compact-imports", text, "-o", plain]);
  return readFileSync(plain);
}

/** @returns {Promise<{fetch(request: Request): Promise<Response>, memory(): Buffer}>} */
export async function workerInNode(env) {
  const folder = mkdtempSync(join(tmpdir(), "grant-vault-test-"));
  const module = new WebAssembly.Module(readableToNode(join(BUILD, "index_bg.wasm"), folder));
  const { Instance } = WebAssembly;
  const instances = [];
  const queue = globalThis.queueMicrotask;
  class WorkerEntrypoint {
    constructor(ctx, own) {
      Object.assign(this, { ctx, env: own });
    }
  }
  try {
    globalThis.grantVaultHost = { module, WorkerEntrypoint };
    globalThis.addEventListener ??= () => {};
    WebAssembly.Instance = function (...args) {
      instances.push(new Instance(...args));
      return instances.at(-1);
    };
    const text = readFileSync(join(BUILD, "index.js"), "utf8")
      .replace(/import\s*\{\s*WorkerEntrypoint as (\w+)\s*\}\s*from\s*"cloudflare:workers";/, "const $1 = globalThis.grantVaultHost.WorkerEntrypoint;")
      .replace(/import (\w+) from\s*"\.\/index_bg\.wasm";/, "const $1 = globalThis.grantVaultHost.module;");
    writeFileSync(join(folder, "index.mjs"), text);
    const { default: Worker } = await import(pathToFileURL(join(folder, "index.mjs")).href);
    const context = { waitUntil() {}, passThroughOnException() {} };
    return {
      fetch: (request) => Worker.fetch(request, env, context),
      memory: () => Buffer.from(instances[0].exports.memory.buffer),
    };
  } finally {
    WebAssembly.Instance = Instance;
    globalThis.queueMicrotask = queue;
    rmSync(folder, { recursive: true, force: true });
  }
}
