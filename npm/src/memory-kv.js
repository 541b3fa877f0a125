// A KV namespace in memory, with the methods, limits and order of Workers KV.

import { VaultError } from "./errors.js";
import * as check from "./check.js";

const KEY_BYTES = 512;
const VALUE_BYTES = 25 * 1024 * 1024;
const METADATA_BYTES = 1024;
const LEAST_TTL = 60;
const BULK_KEYS = 100;
const LIST_KEYS = 1000;

const encoder = new TextEncoder();
const byteLength = (text) => encoder.encode(text).length;
const nowSeconds = () => Date.now() / 1000;
const TYPES = ["text", "json", "arrayBuffer", "stream"];

/** What Workers KV answers to a call that it can't take. */
function refused(operation, reason) {
  return new VaultError(`KV ${operation} failed: 400 ${reason}`, { code: "BAD_REQUEST", status: 400 });
}

/** The order of UTF-8 bytes, which is that of code points; UTF-16's differs above U+D7FF. */
function inByteOrder(a, b) {
  const [x, y] = [a[Symbol.iterator](), b[Symbol.iterator]()];
  for (;;) {
    const [one, other] = [x.next().value, y.next().value];
    if (one === undefined || other === undefined) return (one !== undefined) - (other !== undefined);
    if (one !== other) return one.codePointAt(0) - other.codePointAt(0);
  }
}

export class MemoryKV {
  /** @type {Map<string, {value: string | Uint8Array, metadata: string | undefined, expiration: number | undefined}>} */
  #entries = new Map();
  /** The names in order; made when a list needs them. */
  #names;

  async get(key, options) {
    const type = typeOf(options, key);
    if (!Array.isArray(key)) return read(this.#find("GET", key), type);
    return this.#bulk(key, (entry) => read(entry, type));
  }

  async getWithMetadata(key, options) {
    const type = typeOf(options, key);
    const both = (entry) => ({ value: read(entry, type), metadata: entry?.metadata === undefined ? null : JSON.parse(entry.metadata), cacheStatus: null });
    return Array.isArray(key) ? this.#bulk(key, (entry) => entry && both(entry)) : both(this.#find("GET", key));
  }

  async put(key, value, options) {
    checkKey("PUT", key);
    const { expiration, expirationTtl, metadata } = check.object(options ?? {}, "options");
    const end = expirationOf(check.optional(check.number, expiration, "expiration"), check.optional(check.number, expirationTtl, "expirationTtl"));
    const text = metadata === undefined || metadata === null ? undefined : JSON.stringify(metadata);
    if (text && byteLength(text) > METADATA_BYTES) throw refused("PUT", `metadata is longer than ${METADATA_BYTES} bytes`);
    const content = await contentOf(value);
    if ((typeof content === "string" ? byteLength(content) : content.length) > VALUE_BYTES) throw refused("PUT", "value is longer than 25 MiB");
    if (!this.#entries.has(key)) this.#names = undefined;
    this.#entries.set(key, { value: content, metadata: text, expiration: end });
  }

  async delete(key) {
    for (const one of Array.isArray(key) ? key : [key]) {
      checkKey("DELETE", one);
      this.#remove(one);
    }
  }

  async list(options) {
    const { prefix, limit, cursor } = check.object(options ?? {}, "options");
    const start = check.optional(check.string, prefix, "prefix") ?? "";
    const most = check.optional(check.number, limit, "limit") ?? LIST_KEYS;
    if (!(Number.isInteger(most) && most >= 1 && most <= LIST_KEYS)) throw refused("GET", `Invalid key_count_limit of ${most}.`);
    const after = readCursor(check.optional(check.string, cursor, "cursor"));
    this.#forgetExpired();
    this.#names ??= [...this.#entries.keys()].sort(inByteOrder);
    const first = after === undefined ? 0 : this.#names.findIndex((name) => inByteOrder(name, after) > 0);
    const rest = first < 0 ? [] : this.#names.slice(first).filter((name) => name.startsWith(start));
    const keys = rest.slice(0, most).map((name) => listed(name, this.#entries.get(name)));
    const isComplete = rest.length <= most;
    return { keys, list_complete: isComplete, ...(isComplete ? {} : { cursor: writeCursor(keys.at(-1).name) }), cacheStatus: null };
  }

  #find(operation, key) {
    checkKey(operation, key);
    const entry = this.#entries.get(key);
    if (entry?.expiration !== undefined && entry.expiration <= nowSeconds()) {
      this.#remove(key);
      return undefined;
    }
    return entry;
  }

  #bulk(keys, give) {
    if (keys.length > BULK_KEYS) throw refused("GET_BULK", `You can request a maximum of ${BULK_KEYS} keys`);
    return new Map(keys.map((key) => [key, give(this.#find("GET_BULK", key)) ?? null]));
  }

  #remove(key) {
    if (this.#entries.delete(key)) this.#names = undefined;
  }

  #forgetExpired() {
    for (const [name, { expiration }] of this.#entries) {
      if (expiration !== undefined && expiration <= nowSeconds()) this.#remove(name);
    }
  }
}

function checkKey(operation, key) {
  check.wellFormed(key, "key");
  if (key === "" || key === "." || key === "..") throw refused(operation, "key must not be empty, . or ..");
  if (byteLength(key) > KEY_BYTES) throw refused(operation, `key is longer than ${KEY_BYTES} bytes`);
}

function typeOf(options, key) {
  const type = (typeof options === "object" && options !== null ? options.type : options) ?? "text";
  if (!TYPES.includes(type)) throw new TypeError(`type must be one of ${TYPES.join(", ")}`);
  if (Array.isArray(key) && type !== "text" && type !== "json") throw new TypeError("type must be text or json where many keys are read");
  return type;
}

function expirationOf(expiration, ttl) {
  if (ttl !== undefined) {
    if (!(ttl >= LEAST_TTL)) throw refused("PUT", `Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least ${LEAST_TTL}.`);
    return Math.floor(nowSeconds()) + Math.floor(ttl);
  }
  if (expiration !== undefined && !(expiration >= nowSeconds() + LEAST_TTL)) {
    throw refused("PUT", `Invalid expiration of ${expiration}. Expiration times must be at least ${LEAST_TTL} seconds in the future.`);
  }
  return expiration;
}

/** A value to keep: nobody else can change it afterwards. */
async function contentOf(value) {
  if (typeof value === "string") return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  if (value instanceof ReadableStream) return new Uint8Array(await new Response(value).arrayBuffer());
  throw new TypeError("value must be a string, an ArrayBuffer, a view of one, or a ReadableStream");
}

function read(entry, type) {
  if (entry === undefined) return null;
  const { value } = entry;
  const text = () => (typeof value === "string" ? value : new TextDecoder().decode(value));
  const bytes = () => (typeof value === "string" ? encoder.encode(value) : value.slice());
  switch (type) {
    case "json":
      return JSON.parse(text());
    case "arrayBuffer":
      return bytes().buffer;
    case "stream":
      return new Response(bytes()).body;
    default:
      return text();
  }
}

function listed(name, { expiration, metadata }) {
  return {
    name,
    ...(expiration !== undefined && { expiration }),
    ...(metadata !== undefined && { metadata: JSON.parse(metadata) }),
  };
}

/** The last name of a page; opaque to callers. */
const writeCursor = (name) => encodeURIComponent(name);

function readCursor(cursor) {
  if (cursor === undefined || cursor === "") return undefined;
  try {
    return decodeURIComponent(cursor);
  } catch {
    throw refused("GET", "cursor is not one that a list gave");
  }
}
