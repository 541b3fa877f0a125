// Load: keeps a number of connections busy with one request each, over bare sockets. General clients
// for Node spend more time on a request than workerd does on the answer, and then measure themselves.

import { connect } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");

/** The bytes of one request. */
export function request(method, path, { bearer, json } = {}) {
  const body = json === undefined ? "" : JSON.stringify(json);
  const lines = [`${method} ${path} HTTP/1.1`, "Host: bench"];
  if (bearer) lines.push(`Authorization: Bearer ${bearer}`);
  if (body) lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

/** How long a whole answer is, once its head is there; undefined before. Every answer announces its length. */
function answerLength(bytes) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.latin1Slice(0, headEnd);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined && !head.startsWith("HTTP/1.1 204")) throw new Error(`an answer of unknown length:\n${head}`);
  return headEnd + HEAD_END.length + Number(length ?? 0);
}

/**
 * Sends what `next` gives, until it gives nothing or the time is up.
 * @param {object} options
 * @param {number} options.port
 * @param {number} options.connections
 * @param {() => Buffer | undefined} options.next the next request
 * @param {number} [options.seconds]
 * @param {(bytes: Buffer) => void} [options.onAnswer] sees each answer
 * @returns {Promise<{requests: number, seconds: number, rate: number, p50: number, p99: number}>} times in ms
 */
export async function load({ port, connections, next, seconds = Infinity, onAnswer }) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const times = [];
  const begin = performance.now();
  const deadline = begin + seconds * 1000;
  let end = begin;
  try {
    await Promise.all(sockets.map((socket) => new Promise((resolve, reject) => {
      let sent;
      let received;
      const send = () => {
        const bytes = performance.now() < deadline ? next() : undefined;
        if (!bytes) return resolve();
        received = undefined;
        sent = performance.now();
        socket.write(bytes);
      };
      socket.on("data", (chunk) => {
        try {
          received = received ? Buffer.concat([received, chunk]) : chunk;
          const length = answerLength(received);
          if (length === undefined || received.length < length) return;
          end = performance.now();
          times.push(end - sent);
          if (received[9] !== 0x32 /* 2xx */) throw new Error(`not a success: ${received.toString("utf8", 0, 1000)}`);
          onAnswer?.(received);
          send();
        } catch (error) {
          reject(error);
        }
      });
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the connection was closed")));
      send();
    })));
  } finally {
    for (const socket of sockets) socket.removeAllListeners("close").destroy();
  }
  const elapsed = (end - begin) / 1000;
  const ordered = Float64Array.from(times).sort();
  const quantile = (q) => ordered[Math.min(ordered.length - 1, Math.floor(q * ordered.length))];
  return { requests: times.length, seconds: elapsed, rate: times.length / elapsed, p50: quantile(0.5), p99: quantile(0.99) };
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket.setNoDelay(true)));
    socket.once("error", reject);
  });
}
