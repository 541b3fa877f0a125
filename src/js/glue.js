// What would take Rust many crossings into JavaScript, done in one each.

/** Method, URL and the headers that a call may need, a line each; an absent header is an empty line. */
export function requestHead(request) {
  const { headers } = request;
  const names = ["authorization", "content-type", "origin", "content-length"];
  return [request.method, request.url, ...names.map((name) => headers.get(name) ?? "")].join("\n");
}

/** The whole body of a request whose length was announced. */
export async function requestBytes(request) {
  return new Uint8Array(await request.arrayBuffer());
}

let fixed = new Headers();

/** Headers, names and values in turn as lines, that every response has from here on. */
export function fixedHeaders(lines) {
  fixed = new Headers();
  setAll(fixed, lines);
}

function setAll(headers, lines) {
  const texts = lines.split("\n");
  for (let i = 0; i + 1 < texts.length; i += 2) headers.set(texts[i], texts[i + 1]);
}

/** A response with the fixed headers and those in the lines. */
export function makeResponse(status, lines, body) {
  // The host copies them among itself; told one by one, each would be a crossing.
  const headers = new Headers(fixed);
  setAll(headers, lines);
  // A copy: the bytes lie in the WebAssembly memory and are erased when this returns.
  return new Response(body?.slice(), { status, headers });
}

/** The values of keys, which come as lines, as a JSON array; null for those that aren't there. */
export async function bulkGet(namespace, lines) {
  const keys = lines.split("\n");
  const found = await namespace.get(keys);
  return JSON.stringify(keys.map((key) => found.get(key) ?? null));
}

/** A page of keys as JSON in UTF-8, which Rust reads faster than the objects themselves. */
export async function listKeys(namespace, options) {
  return new TextEncoder().encode(JSON.stringify(await namespace.list(options)));
}
