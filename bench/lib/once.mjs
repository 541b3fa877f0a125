// What is measured once and not in rounds of load: size, start, memory, and how little it matters how
// much is stored.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { at } from "../../scripts/lib/run.mjs";
import { load, request } from "./load.mjs";
import { measure, median, spread } from "./measure.mjs";
import { serve } from "./workerd.mjs";
import { fill, grantTokens, makeDeveloper, principal, SERVICE } from "./world.mjs";

/** Bytes of each side's modules, as they are and gzipped. */
export function sizes(sides) {
  return Object.fromEntries(sides.map(({ name, modules }) => {
    const files = Object.entries(modules).map(([file, path]) => [file, readFileSync(path)]);
    const measured = files.map(([file, bytes]) => [file, { raw: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }]);
    return [name, Object.fromEntries(measured)];
  }));
}

/** From starting workerd to listening, and from then to the first answer, in ms. */
export async function starts(directory, sides, count) {
  const times = Object.fromEntries(sides.map(({ name }) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (const side of sides) {
      const begin = performance.now();
      const server = await serve(join(directory, `start-${side.name}`), side);
      const listening = performance.now();
      const requests = [request("GET", "/health")];
      await load({ port: server.port, connections: 1, next: () => requests.pop() });
      times[side.name].push({ listening: listening - begin, answer: performance.now() - listening });
      await server.stop();
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [
    name,
    {
      listening: spread(list.map(({ listening }) => listening)),
      answer: spread(list.map(({ answer }) => answer)),
      total: spread(list.map(({ listening, answer }) => listening + answer)),
    },
  ]));
}

/** How long an instance of a compiled wasm module takes, in ms. */
export async function instantiation(directory, module) {
  const modules = { "index.js": at("bench", "workers", "instantiate.js"), "module.wasm": module };
  const server = await serve(join(directory, "instantiate"), { modules });
  const timed = async (times) => {
    const requests = [request("GET", `/${times}`)];
    return (await load({ port: server.port, connections: 1, next: () => requests.pop() })).p50;
  };
  try {
    const times = [];
    await timed(10);
    for (let i = 0; i < 5; i++) times.push((await timed(20) - await timed(0)) / 20);
    return spread(times);
  } finally {
    await server.stop();
  }
}

const exchanges = (tokens) => tokens.map((bearer) => request("POST", "/v1/vault/credentials/exchange", { bearer, json: { service: SERVICE } }));

/** Resident memory of workerd, the KV stub included, before and after so many exchanges, in MB. */
export async function memory(directory, sides, count) {
  const result = {};
  for (const side of sides) {
    const server = await serve(join(directory, `memory-${side.name}`), side);
    try {
      const developer = await makeDeveloper(server, "dev_memory");
      await fill(server, developer, 64);
      const requests = exchanges(await grantTokens("RS256", 64, developer));
      const before = server.memory();
      let sent = 0;
      await load({ port: server.port, connections: 16, next: () => (sent < count ? requests[sent++ % requests.length] : undefined) });
      result[side.name] = { requests: count, before, after: server.memory() };
    } finally {
      await server.stop();
    }
  }
  return result;
}

/**
 * The same exchange with more and more stored: each side has a server of each size, all take turns.
 * @returns rates by side and size, and the ratios of each size to the smallest of that side
 */
export async function scale(directory, sides, counts, { rounds, seconds }) {
  const servers = [];
  const one = { name: "exchange", ask: (_, i, tokens) => ["POST", "/v1/vault/credentials/exchange", { bearer: tokens[i % tokens.length], json: { service: SERVICE } }] };
  try {
    for (const count of counts) {
      const tokens = await grantTokens("RS256", 64, { developerId: "dev_scale" }, (i) => principal(Math.floor((i * count) / 64)));
      for (const side of sides) {
        const server = await serve(join(directory, `scale-${side.name}-${count}`), side);
        servers.push({ name: side.name, count, server, tokens, rates: [] });
      }
    }
    await Promise.all(servers.map(async ({ server, count }) => fill(server, await makeDeveloper(server, "dev_scale"), count)));
    for (let round = -1; round < rounds; round++) {
      for (const { server, tokens, rates } of servers) {
        const { rate } = await measure(one, server, { connections: 16, seconds: round < 0 ? seconds / 2 : seconds, tokens });
        if (round >= 0) rates.push(rate);
      }
    }
  } finally {
    for (const { server } of servers) await server.stop();
  }
  const result = {};
  for (const { name, count, rates } of servers) {
    const smallest = servers.find((other) => other.name === name && other.count === counts[0]).rates;
    (result[name] ??= {})[count] = { rate: median(rates), toSmallest: spread(rates.map((rate, i) => rate / smallest[i])) };
  }
  return result;
}
