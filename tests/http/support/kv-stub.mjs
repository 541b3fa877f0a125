// A KV namespace that fails when told to and keeps a list of what it was asked: a Worker of its own,
// bound in the namespace's place, whose methods are called over RPC. What a test cannot make the real
// simulator do: say "slow down", be down, break off between two writes, hang, lag.
//
// A fault is {message, after?, hang?, done?}, or the message alone: the operation throws it, once it was
// done `after` times; with `hang` it answers nothing for minutes; with `done` it is done all the same.
// `lag: true` among the faults has readers see the entries of that moment until the faults are set anew.

export const KV_STUB = `
import { WorkerEntrypoint } from "cloudflare:workers";

const entries = new Map();
let seen = entries;
let operations = [];
let faults = {};

async function note(operation, detail, act = () => {}) {
  operations.push([operation, detail]);
  const fault = faults[operation];
  const { message = fault, after = 0, hang = false, done = false } = typeof fault === "object" ? fault : {};
  const taken = operations.filter(([name]) => name === operation).length;
  const fails = fault !== undefined && taken > after;
  if (!fails || done) act();
  if (fails && hang) await scheduler.wait(300_000);
  if (fails) throw new Error(message);
}

export default class extends WorkerEntrypoint {
  async get(key) {
    if (!Array.isArray(key)) {
      await note("get", key);
      return seen.get(key)?.value ?? null;
    }
    await note("bulk", key);
    if (key.length > 100) throw new Error("KV GET_BULK failed: 400 You can request a maximum of 100 keys");
    return new Map(key.map((one) => [one, seen.get(one)?.value ?? null]));
  }

  async put(key, value, { metadata = null } = {}) {
    await note("put", key, () => entries.set(key, { value, metadata }));
  }

  async delete(key) {
    await note("delete", key, () => entries.delete(key));
  }

  async list({ prefix = "", limit = 1000, cursor = "" }) {
    await note("list", prefix);
    if (cursor && !seen.has(cursor)) throw new Error("KV GET failed: 400 Bad Request");
    const names = [...seen.keys()].filter((name) => name.startsWith(prefix) && name > cursor).sort();
    const page = names.slice(0, limit);
    const keys = page.map((name) => ({ name, metadata: seen.get(name).metadata ?? undefined }));
    return page.length < names.length ? { keys, list_complete: false, cursor: page.at(-1) } : { keys, list_complete: true };
  }

  // For the tests: PUT adds entries; POST sets the faults of the next operations, gives those since the last time.
  async fetch(request) {
    if (request.method === "PUT") {
      for (const [key, entry] of await request.json()) entries.set(key, entry);
      return new Response();
    }
    const since = operations;
    operations = [];
    faults = await request.json();
    seen = faults.lag ? new Map(entries) : entries;
    return Response.json(since);
  }
}
`;
