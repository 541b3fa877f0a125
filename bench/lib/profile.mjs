// Where the time of a call goes: V8's sampling profiler, through workerd's inspector. It sees JavaScript
// and wasm; all that is native (the runtime, WebCrypto, the KV stub's isolate) is "(program)".

import { load } from "./load.mjs";
import { requests } from "./measure.mjs";
import { tokensFor } from "./cases.mjs";

const INTERVAL_US = 200;

/** A connection to the inspector of a server's Worker: (method, params) => its answer. */
async function inspect(address) {
  const targets = await (await fetch(`http://${address}/json`)).json();
  const target = targets.find(({ id, title }) => /main/.test(`${id} ${title}`)) ?? targets[0];
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    if (id !== undefined) waiting.get(id)(error ? Promise.reject(new Error(error.message)) : result);
  };
  let last = 0;
  return {
    ask: (method, params = {}) => new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    }),
    close: () => socket.close(),
  };
}

/**
 * Profiles one case.
 * @returns {Promise<{requests: number, functions: {name: string, microseconds: number}[]}>} self times per call
 */
export async function profile(one, server, { connections, seconds }) {
  const make = requests(one, server, await tokensFor(one, 4000 * seconds));
  let sent = 0;
  const run = (duration) => load({ port: server.port, connections, seconds: duration, next: () => make(sent++) });
  const inspector = await inspect(server.inspector);
  try {
    if (!one.fresh) await run(1);
    await inspector.ask("Profiler.enable");
    await inspector.ask("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await inspector.ask("Profiler.start");
    const { requests: count } = await run(seconds);
    const { profile: taken } = await inspector.ask("Profiler.stop");
    return { requests: count, profile: taken, functions: selfTimes(taken, count) };
  } finally {
    inspector.close();
  }
}

function selfTimes({ nodes, samples, timeDeltas }, count) {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
    const file = url.startsWith("wasm") ? "wasm" : url.split("/").at(-1);
    return [id, `${functionName || "(anonymous)"}${file ? ` ${file}${file === "wasm" ? "" : `:${lineNumber + 1}`}` : ""}`];
  }));
  const times = new Map();
  samples.forEach((id, i) => times.set(names.get(id), (times.get(names.get(id)) ?? 0) + timeDeltas[i]));
  return [...times].map(([name, total]) => ({ name, microseconds: total / count })).sort((a, b) => b.microseconds - a.microseconds);
}
