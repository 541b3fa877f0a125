// Rounds: short, each side in turn, so that whatever else the machine does falls on all of them.

import { load, request } from "./load.mjs";
import { tokensFor } from "./cases.mjs";

export const median = (values) => quantile(values, 0.5);

export function quantile(values, q) {
  const ordered = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (ordered.length === 0) return undefined;
  const at = (ordered.length - 1) * q;
  const low = ordered[Math.floor(at)];
  return low + (ordered[Math.ceil(at)] - low) * (at - Math.floor(at));
}

/** {median, min, max} */
export const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });

/** Requests of a case to a server: request i the first time it is asked for, or the same few over and over. */
export function requests(one, server, tokens) {
  const { developers, floor } = server;
  const make = (i) => {
    const [method, path, options] = one.ask(developers, i, tokens);
    return request(method, floor ? `/${one.name}` : path, options);
  };
  if (one.unique) return make;
  const made = Array.from({ length: one.fresh ? tokens.length : 64 }, (_, i) => make(i));
  return one.fresh ? (i) => made[i] : (i) => made[i % made.length];
}

/** One side's part of a round. */
export async function measure(one, server, { connections, seconds, tokens }) {
  const make = requests(one, server, tokens);
  let sent = 0;
  await server.control("counts");
  const cpu = server.cpu();
  const result = await load({ port: server.port, connections, seconds, next: () => make(sent++) });
  const used = server.cpu() - cpu;
  return { ...result, cpu: used, operations: await server.control("counts") };
}

/**
 * Measures one case at one number of connections.
 * @param {object} one the case
 * @param {Record<string, object>} servers by side
 * @param {{connections: number, rounds: number, seconds: number, newTokens: number}} plan
 * @returns {Promise<Record<string, object[]>>} each side's rounds
 */
export async function rounds(one, servers, { connections, rounds: count, seconds, newTokens }) {
  const names = Object.keys(servers);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  const kept = one.fresh ? undefined : await tokensFor(one);
  for (let round = -1; round < count; round++) {
    // Round -1 warms up: compiled code, and for tokens that are to be known, their first sight.
    const tokens = kept ?? (await tokensFor(one, round < 0 ? Math.ceil(newTokens / 4) : newTokens));
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + 1) % names.length];
      const result = await measure(one, servers[name], { connections, seconds: round < 0 ? seconds / 2 : seconds, tokens });
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}

/** What the rounds of one case come to, with ratios to `base` of the same round. */
export function summarize(results, base) {
  const cpu = ({ cpu: used, requests }) => used / requests;
  const ratios = (list, to, value) => to && spread(list.map((one, i) => value(one) / value(to[i])));
  const rate = (one) => one.rate;
  const summary = {};
  for (const [name, list] of Object.entries(results)) {
    const sum = (values) => values.reduce((total, value) => total + value, 0);
    const requests = sum(list.map((one) => one.requests));
    const operations = {};
    for (const { operations: counts } of list) for (const [key, count] of Object.entries(counts)) operations[key] = (operations[key] ?? 0) + count;
    summary[name] = {
      requests,
      rate: spread(list.map(rate)),
      p50: median(list.map(({ p50 }) => p50)),
      p99: median(list.map(({ p99 }) => p99)),
      cpu: sum(list.map((one) => one.cpu)) / requests,
      operations: Object.fromEntries(Object.entries(operations).map(([key, count]) => [key, Number((count / requests).toFixed(2))])),
      ratio: ratios(list, results[base], rate),
      ratioCpu: ratios(list, results[base], cpu),
      ratioP99: ratios(list, results[base], ({ p99 }) => p99),
    };
    if (name === "against") Object.assign(summary[name], { toVault: ratios(list, results.vault, rate), toVaultCpu: ratios(list, results.vault, cpu) });
  }
  return summary;
}
