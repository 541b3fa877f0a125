// A KV namespace that fails when told to and keeps a list of what it was asked: a Worker of its own,
// bound in the namespace's place, whose methods are called over RPC. What a test cannot make the real
// simulator do: say "slow down", be down, break off between two writes.

export const KV_STUB = `
import { WorkerEntrypoint } from "cloudflare:workers";

const entries = new Map();
let operations = [];
let faults = {};

function note(operation, detail) {
  operations.push([operation, detail]);
  const fault = faults[operation];
  if (fault) throw new Error(fault);
}

export default class extends WorkerEntrypoint {
  async get(key) {
    if (!Array.isArray(key)) {
      note("get", key);
      return entries.get(key)?.value ?? null;
    }
    note("bulk", key);
    if (key.length > 100) throw new Error("KV GET_BULK failed: 400 You can request a maximum of 100 keys");
    return new Map(key.map((one) => [one, entries.get(one)?.value ?? null]));
  }

  async put(key, value, { metadata = null } = {}) {
    note("put", key);
    entries.set(key, { value, metadata });
  }

  async delete(key) {
    note("delete", key);
    entries.delete(key);
  }

  async list({ prefix = "", limit = 1000, cursor = "" }) {
    note("list", prefix);
    const names = [...entries.keys()].filter((name) => name.startsWith(prefix) && name > cursor).sort();
    const page = names.slice(0, limit);
    const keys = page.map((name) => ({ name, metadata: entries.get(name).metadata ?? undefined }));
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
    return Response.json(since);
  }
}
`;
