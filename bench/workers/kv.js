// A KV namespace in memory, for workerd's kvNamespace binding: what the runtime sends is
// GET, PUT and DELETE of /KEY?urlencoded=true, POST /bulk/get, and GET ?prefix=… for a list.
//
// Texts that an answer is put together from are made once and kept: this is not what is measured, and
// its time counts for every side alike.

const entries = new Map();
/** The keys in order; made when a list needs it, dropped when a key comes or goes. */
let sorted;
let counts = {};
let recording = null;

const decoder = new TextDecoder();
/** What comes before the key; a list has no slash. */
const ORIGIN = "https://fake-host/";
const METADATA = "CF-KV-Metadata";

const count = (operation) => {
  counts[operation] = (counts[operation] ?? 0) + 1;
};

function find(key) {
  const entry = entries.get(key);
  return entry && !(entry.expiration * 1000 < Date.now()) ? entry : undefined;
}

/** The value as it stands in the answer to a bulk read: a text in quotes, or the JSON that it is. */
const quoted = (entry) => (entry.quoted ??= JSON.stringify(decoder.decode(entry.value)));
const unquoted = (entry) => (entry.unquoted ??= decoder.decode(entry.value));

/** What a list says of a key; workerd wants the metadata as text. */
const listed = (key, entry) =>
  (entry.listed ??= JSON.stringify({ name: key, expiration: entry.expiration, metadata: entry.metadata }));

function get(key) {
  count("get");
  recording?.push({ operation: "get", keys: key });
  const entry = find(key);
  if (!entry) return new Response(null, { status: 404 });
  return entry.metadata ? new Response(entry.value, { headers: { [METADATA]: entry.metadata } }) : new Response(entry.value);
}

async function bulk(request) {
  count("bulk");
  const { keys, type } = await request.json();
  const text = type === "json" ? unquoted : quoted;
  if (keys.length > 100) return new Response("You can request a maximum of 100 keys", { status: 400 });
  recording?.push({ operation: "bulk", keys });
  const values = keys.map((key) => {
    const entry = find(key);
    return `${JSON.stringify(key)}:${entry ? text(entry) : "null"}`;
  });
  return new Response(`{${values.join()}}`);
}

async function put(key, query, request) {
  count("put");
  const metadata = request.headers.get(METADATA) ?? undefined;
  const ttl = query.get("expiration_ttl");
  const expiration = ttl ? Math.floor(Date.now() / 1000) + Number(ttl) : (query.get("expiration") ?? undefined);
  const value = await request.arrayBuffer();
  recording?.push({ operation: "put", keys: key, value: decoder.decode(value), metadata });
  if (!entries.has(key)) sorted = undefined;
  entries.set(key, { value, metadata, expiration });
  return new Response(null);
}

function remove(key) {
  count("delete");
  recording?.push({ operation: "delete", keys: key });
  if (entries.delete(key)) sorted = undefined;
  return new Response(null);
}

/** Where the first key is that is not before `key`. */
function position(key) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function list(query) {
  count("list");
  const prefix = query.get("prefix") ?? "";
  const cursor = query.get("cursor");
  const limit = Number(query.get("key_count_limit") ?? 1000);
  recording?.push({ operation: "list", prefix, limit, cursor });
  sorted ??= [...entries.keys()].sort();
  const keys = [];
  let at = position(cursor ?? prefix);
  for (; at < sorted.length && keys.length < limit && sorted[at].startsWith(prefix); at++) {
    const entry = find(sorted[at]);
    if (entry) keys.push(listed(sorted[at], entry));
  }
  const more = at < sorted.length && sorted[at].startsWith(prefix);
  const end = more ? `"list_complete":false,"cursor":${JSON.stringify(sorted[at])}` : `"list_complete":true`;
  return new Response(`{"keys":[${keys.join()}],${end},"cacheStatus":null}`);
}

export default {
  async fetch(request) {
    const { method, url } = request;
    const [address, search] = url.split("?", 2);
    const path = address.slice(ORIGIN.length);
    const query = () => new URLSearchParams(search);
    if (method === "POST" && path === "bulk/get") return bulk(request);
    if (method === "GET" && path === "") return list(query());
    const key = decodeURIComponent(path);
    if (method === "GET") return get(key);
    if (method === "PUT") return put(key, query(), request);
    if (method === "DELETE") return remove(key);
    return new Response(null, { status: 405 });
  },
};

/** For the harness, on a socket of its own: counts, recordings, all entries out and in. */
export const control = {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/counts") {
      const since = counts;
      counts = {};
      return Response.json(since);
    }
    if (pathname === "/record") {
      const since = recording ?? [];
      recording = recording ? null : [];
      return Response.json(since);
    }
    if (pathname === "/dump") {
      return Response.json([...entries].map(([key, { value, metadata, expiration }]) => [key, { value: decoder.decode(value), metadata, expiration }]));
    }
    if (pathname === "/load") {
      const encoder = new TextEncoder();
      for (const [key, entry] of await request.json()) entries.set(key, { ...entry, value: encoder.encode(entry.value).buffer });
      sorted = undefined;
      return Response.json({ entries: entries.size });
    }
    return new Response(null, { status: 404 });
  },
};
