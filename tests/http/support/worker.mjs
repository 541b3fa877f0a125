// Runs the built Worker (build/) in real workerd, under Miniflare: the same runtime and the same KV
// simulator as `wrangler dev`, with the settings a test gives it, storage that outlives a restart,
// and every byte that workerd writes kept for the tests to read.

import childProcess from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { KV_STUB } from "./kv-stub.mjs";
import { poll } from "./poll.mjs";
import { QUEUE_CONSUMER } from "./queue-consumer.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the built Worker is; VAULT_BUILD names another one. */
export const BUILD = process.env.VAULT_BUILD ?? join(root, "build");

/** The value of a top-level string in wrangler.toml. */
function fromWranglerToml(name) {
  const text = readFileSync(join(root, "wrangler.toml"), "utf8");
  return new RegExp(`^${name}\\s*=\\s*"([^"]*)"`, "m").exec(text)?.[1];
}

/** The modules of build/: index.js, after `prelude`, and the WebAssembly it imports. */
function modules(prelude) {
  const wasm = readdirSync(BUILD).filter((file) => file.endsWith(".wasm"));
  return {
    "index.js": { type: "esm", contents: prelude + readFileSync(join(BUILD, "index.js"), "utf8") },
    ...Object.fromEntries(
      wasm.map((file) => [file, { type: "wasm", contents: new Uint8Array(readFileSync(join(BUILD, file))) }]),
    ),
  };
}

/** Miniflare's own messages, kept instead of printed. */
class KeptLog extends Log {
  constructor(keep) {
    super(LogLevel.INFO);
    this.keep = keep;
  }
  log(message) {
    this.keep(message);
  }
}

/**
 * Calls `start` and gives the process of the workerd that it starts, with all that it writes handed to
 * `keep`: Miniflare passes on only the lines that it recognises, and a search for secrets must see all.
 */
async function tappingWorkerd(keep, start) {
  const { spawn } = childProcess;
  let child;
  childProcess.spawn = (...args) => {
    child = spawn(...args);
    child.stdout?.on("data", (chunk) => keep(chunk.toString("utf8")));
    child.stderr?.on("data", (chunk) => keep(chunk.toString("utf8")));
    return child;
  };
  try {
    await start();
    return child;
  } finally {
    childProcess.spawn = spawn;
  }
}

export class Worker {
  /** All that workerd and Miniflare wrote, over all restarts. */
  output = "";
  /** The messages the Worker logged, oldest first. */
  messages = [];
  /** Where the KV namespace lives. */
  storage = mkdtempSync(join(tmpdir(), "grant-vault-test-"));

  /**
   * `settings`: the Worker's variables and secrets, by name. `kv` is what is bound as the namespace:
   * Miniflare's, a "stub" that can fail (see kv-stub.mjs), or "none". `assets`: a folder of static files.
   * `limits`: the rate limits that are bound, {binding: figure a minute}. `queue`: whether a Queue is bound.
   * `inspector`: whether `heapUsed` can be asked. `prelude`: JavaScript that runs before the Worker's own.
   */
  constructor({ settings = {}, kv = "miniflare", assets, limits = {}, queue = false, inspector = false, prelude = "" } = {}) {
    this.settings = settings;
    this.kind = kv;
    this.assets = assets;
    this.limits = limits;
    this.queue = queue;
    this.inspector = inspector;
    this.prelude = prelude;
    // Should the test's own process end before `stop`, as it does when a file's set-up fails.
    const clear = () => {
      this.process?.kill("SIGKILL");
      this.#removeStorage();
    };
    process.once("exit", clear);
    process.once("uncaughtExceptionMonitor", clear);
  }

  #removeStorage() {
    rmSync(this.storage, { recursive: true, force: true });
  }

  #options() {
    const env = Object.fromEntries(
      Object.entries(this.settings)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [name, { type: "text", value }]),
    );
    if (this.kind === "miniflare") env.VAULT = { type: "kv", id: "vault" };
    if (this.kind === "stub") env.VAULT = { type: "worker", worker: "kv-stub" };
    if (this.assets) env.ASSETS = { type: "assets" };
    for (const [name, limit] of Object.entries(this.limits)) {
      env[name] = { type: "rate-limit", namespace: name, simple: { limit, period: 60 } };
    }
    if (this.queue) env.AUDIT_QUEUE = { type: "queue", name: "audit" };
    const compatibilityDate = fromWranglerToml("compatibility_date");
    const stub = {
      config: {
        name: "kv-stub",
        compatibilityDate,
        manifest: { mainModule: "stub.js", modulesRoot: BUILD, modules: { "stub.js": { type: "esm", contents: KV_STUB } } },
      },
    };
    const consumer = {
      config: {
        name: "queue-consumer",
        compatibilityDate,
        manifest: { mainModule: "consumer.js", modulesRoot: BUILD, modules: { "consumer.js": { type: "esm", contents: QUEUE_CONSUMER } } },
        triggers: [{ type: "queue", name: "audit", maxBatchTimeout: 0 }],
      },
    };
    return {
      host: "127.0.0.1",
      port: 0,
      ...(this.inspector && { inspectorPort: 0 }),
      cf: false,
      logRequests: false,
      telemetry: { enabled: false },
      resourcePersistencePath: this.storage,
      log: new KeptLog((text) => (this.output += `${text}\n`)),
      handleStructuredLogs: ({ message }) => this.messages.push(message),
      workers: [
        {
          config: {
            name: "grant-vault",
            compatibilityDate,
            manifest: { mainModule: "index.js", modulesRoot: BUILD, modules: modules(this.prelude) },
            env,
            ...(this.assets && {
              assets: { directory: this.assets, hasUserWorker: true, runWorkerFirst: true },
            }),
          },
        },
        ...(this.kind === "stub" ? [stub] : []),
        ...(this.queue ? [consumer] : []),
      ],
    };
  }

  async start() {
    const keep = (text) => (this.output += text);
    this.process = await tappingWorkerd(keep, async () => {
      this.miniflare = new Miniflare(this.#options());
      this.url = (await this.miniflare.ready).origin;
    });
  }

  /** Starts again on the same storage, with `settings` laid over the old ones (undefined removes one). */
  async restart(settings = {}) {
    await this.miniflare.dispose();
    this.settings = { ...this.settings, ...settings };
    await this.start();
  }

  async stop() {
    await this.miniflare?.dispose();
    this.#removeStorage();
  }

  /** The KV namespace, to read and to tamper with. */
  kv() {
    return this.miniflare.getKVNamespace("VAULT");
  }

  /** Every entry of the KV namespace: [{name, value: Buffer, metadata}]. */
  async dump(prefix = "") {
    const kv = await this.kv();
    const entries = [];
    let cursor;
    do {
      const page = await kv.list({ prefix, cursor });
      for (const { name, metadata } of page.keys) {
        entries.push({ name, metadata, value: Buffer.from(await kv.get(name, "arrayBuffer")) });
      }
      cursor = page.cursor;
    } while (cursor);
    return entries;
  }

  /** Sets which of the stub's operations fail, {operation: message}; gives [operation, key] since last time. */
  async stub(faults = {}) {
    const worker = await this.miniflare.getWorker("kv-stub");
    const response = await worker.fetch("http://kv-stub/", { method: "POST", body: JSON.stringify(faults) });
    return response.json();
  }

  /** What the Queue's consumer got so far. */
  async queued() {
    const worker = await this.miniflare.getWorker("queue-consumer");
    return (await worker.fetch("http://queue-consumer/")).json();
  }

  /** What lives in the Worker's isolate once V8 has collected the rest, in bytes. */
  async heapUsed() {
    const { host } = await this.miniflare.getInspectorURL();
    const targets = await (await fetch(`http://${host}/json`)).json();
    const target = targets.find(({ id, title }) => `${id} ${title}`.includes("grant-vault"));
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await once(socket, "open");
    const answers = new Map();
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(data);
      answers.set(id, result);
    });
    const ask = async (id, method) => {
      socket.send(JSON.stringify({ id, method }));
      // The isolate collects when it is next at work.
      return poll(`the answer to ${method}`, async () => {
        await (await fetch(`${this.url}/health`)).arrayBuffer();
        return answers.get(id);
      });
    };
    await ask(1, "HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = await ask(2, "Runtime.getHeapUsage");
    socket.close();
    return usedSize + backingStorageSize;
  }

  /** Adds entries to the stub, [key, {value, metadata}] each: thousands take no longer than one. */
  async fillStub(entries) {
    const worker = await this.miniflare.getWorker("kv-stub");
    await worker.fetch("http://kv-stub/", { method: "PUT", body: JSON.stringify(entries) });
  }

  /** The JSON objects that the Worker logged. */
  logLines() {
    return this.messages.flatMap((message) => {
      try {
        return [JSON.parse(message)];
      } catch {
        return [];
      }
    });
  }

  /** Waits for the log line that `matches`; a line arrives a moment after its answer. */
  logLine(what, matches) {
    return poll(`a log line: ${what}`, () => this.logLines().find(matches));
  }

  /** Waits for the log line of one request. */
  logLineOf(requestId) {
    return this.logLine(`requestId ${requestId}`, (line) => line.requestId === requestId);
  }
}
