// Workers on bare workerd: each side is a process of its own, with a KV namespace of its own.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { at, start, stop } from "../../scripts/lib/run.mjs";

const COMPATIBILITY_DATE = "2026-11-01";
const KV_STUB = at("bench", "workers", "kv.js");

/** A string in Cap'n Proto's text form: JSON's, for ASCII. */
const text = (value) => JSON.stringify(value);

const moduleKind = (name) => (name.endsWith(".wasm") ? "wasm" : name.endsWith(".json") ? "json" : "esModule");

function config({ modules, settings = {} }) {
  const list = (items) => `[${items.join(", ")}]`;
  const embedded = (names) => list(names.map((name) => `(name = ${text(name)}, ${moduleKind(name)} = embed ${text(name)})`));
  const bindings = Object.entries(settings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "kv", worker = .kv)],
  sockets = [
    (name = "main", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "control", address = "127.0.0.1:0", http = (), service = (name = "kv", entrypoint = "control")),
  ],
);
const main :Workerd.Worker = (
  modules = ${embedded(Object.keys(modules))},
  compatibilityDate = ${text(COMPATIBILITY_DATE)},
  bindings = ${list(['(name = "VAULT", kvNamespace = "kv")', ...bindings])},
);
const kv :Workerd.Worker = (modules = ${embedded(["kv.js"])}, compatibilityDate = ${text(COMPATIBILITY_DATE)});
`;
}

/**
 * Starts a Worker.
 * @param {string} directory a temporary one, for the configuration
 * @param {object} worker
 * @param {Record<string, string>} worker.modules files by name; the first is the Worker
 * @param {Record<string, string>} [worker.settings] text bindings
 * @param {boolean} [worker.inspector] with the inspector, for a profile
 */
export async function serve(directory, worker) {
  mkdirSync(directory, { recursive: true });
  for (const [name, path] of Object.entries({ ...worker.modules, "kv.js": KV_STUB })) copyFileSync(path, join(directory, name));
  const file = join(directory, "config.capnp");
  writeFileSync(file, config(worker));
  const workerd = createRequire(import.meta.url)("workerd").default;
  const child = start([workerd, "serve", "--experimental", "--control-fd=3", ...(worker.inspector ? ["--inspector-addr=127.0.0.1:0"] : []), file], { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  // A vault logs each refusal, and the checks make it refuse: shown only if things go wrong.
  const log = [];
  child.stderr.on("data", (chunk) => log.push(chunk) > 100 && log.shift());
  child.log = () => Buffer.concat(log).toString();
  const ports = await listening(child, worker.inspector);
  return new Server(child, ports);
}

/** The ports that workerd reports on its control descriptor. */
function listening(child, inspector) {
  return new Promise((resolve, reject) => {
    const ports = {};
    let buffer = "";
    child.stdio[3].on("data", (chunk) => {
      buffer += chunk;
      const lines = buffer.split("\n");
      buffer = lines.pop();
      for (const line of lines) {
        const { event, socket, port } = JSON.parse(line);
        ports[event === "listen-inspector" ? "inspector" : socket] = port;
      }
      if (ports.main && ports.control && (ports.inspector || !inspector)) resolve(ports);
    });
    child.ended.then((code) => reject(new Error(`workerd ended with code ${code}:\n${child.log()}`)), reject);
  });
}

class Server {
  constructor(child, { main, control, inspector }) {
    Object.assign(this, { child, port: main, controlPort: control, inspector: `127.0.0.1:${inspector}`, pid: child.pid });
  }

  /** Asks the KV namespace something; see kv.js. */
  async control(path, body) {
    const answer = await fetch(`http://127.0.0.1:${this.controlPort}/${path}`, { method: "POST", body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`/${path}: ${answer.status}`);
    return answer.json();
  }

  /** Processor time used so far, in ms; undefined where there is no /proc. */
  cpu() {
    const ticks = this.#proc("stat")?.replace(/^.*\) /s, "").split(" ");
    return ticks && (Number(ticks[11]) + Number(ticks[12])) * 10;
  }

  /** Resident memory in MB; undefined where there is no /proc. */
  memory() {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(this.#proc("status") ?? "")?.[1];
    return kilobytes && Number(kilobytes) / 1024;
  }

  #proc(name) {
    try {
      return readFileSync(`/proc/${this.pid}/${name}`, "utf8");
    } catch {
      return undefined;
    }
  }

  stop() {
    return stop(this.child);
  }
}
