// A caller's KV namespace as the core wants it: methods that always give promises, and a bulk read
// even where there is none.

const METHODS = ["get", "put", "delete", "list"];

export function adaptKv(kv, name) {
  const isThing = (typeof kv === "object" && kv !== null) || typeof kv === "function";
  if (!isThing || !METHODS.every((method) => typeof kv[method] === "function")) {
    throw new TypeError(`${name} must have the methods get, put, delete and list of a KV namespace`);
  }
  /** Whether `kv.get` takes an array; found out at the first bulk read. */
  let takesArrays;

  async function getMany(keys) {
    if (takesArrays !== false) {
      const found = await bulk(keys);
      if (found) return found;
    }
    const values = await Promise.all(keys.map((key) => kv.get(key)));
    // That worked, so it was the array that was at fault, and not the storage.
    takesArrays ??= false;
    return new Map(keys.map((key, index) => [key, values[index]]));
  }

  async function bulk(keys) {
    try {
      const found = await kv.get(keys);
      if (found instanceof Map) {
        takesArrays = true;
        return found;
      }
    } catch (thrown) {
      if (takesArrays) throw thrown;
    }
    return undefined;
  }

  return {
    get: async (key) => (Array.isArray(key) ? getMany(key) : kv.get(key)),
    put: async (key, value, options) => kv.put(key, value, options),
    delete: async (key) => kv.delete(key),
    list: async (options) => kv.list(options),
  };
}
