// What would take Rust many crossings into JavaScript, done in one each.

/**
 * Method, URL and the headers that a call may need, a line each; an absent header is an empty line. Each look
 * at one is a crossing, so none is looked for in vain: a proof of possession goes with a token of its own
 * scheme, or with one in the body, and no call that reads has a body.
 */
export function requestHead(request) {
  const { method, headers } = request;
  const header = (name) => headers.get(name) ?? "";
  const authorization = header("authorization");
  const [type, length] = method === "GET" ? ["", ""] : [header("content-type"), header("content-length")];
  const dpop = authorization && !/^dpop /i.test(authorization) ? "" : header("dpop");
  return [method, request.url, authorization, type, header("origin"), length, dpop].join("\n");
}

/** The whole body of a request whose length was announced. */
export async function requestBytes(request) {
  return new Uint8Array(await request.arrayBuffer());
}

let fixed;
let fixedWithBody;

/**
 * Headers that every response has from here on, and those that one with a body has besides: names and values
 * in turn, as lines.
 */
export function fixedHeaders(lines, linesWithBody) {
  fixed = setAll(new Headers(), lines);
  fixedWithBody = setAll(new Headers(fixed), linesWithBody);
}

function setAll(headers, lines) {
  const texts = lines.split("\n");
  for (let i = 0; i + 1 < texts.length; i += 2) headers.set(texts[i], texts[i + 1]);
  return headers;
}

/** A response with the fixed headers and those in the lines. */
export function makeResponse(status, lines, body) {
  // The host copies the fixed ones among itself; told one by one, each would be a crossing.
  // A copy of the body: the bytes lie in the WebAssembly memory and are erased when this returns.
  const response = new Response(body?.slice(), { status, headers: body ? fixedWithBody : fixed });
  setAll(response.headers, lines);
  return response;
}

/** What an operation of storage comes to, if that is known in time. */
function inTime(operation, milliseconds) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${milliseconds} ms`));
    const timer = setTimeout(late, milliseconds);
    // One step for each outcome: a race and a `finally` would be several.
    operation.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** The value of a key. */
export function get(namespace, key, patience) {
  return inTime(namespace.get(key), patience);
}

/** The values of keys, which come as lines, as a JSON array; null for those that aren't there. */
export async function bulkGet(namespace, lines, patience) {
  const keys = lines.split("\n");
  const found = await inTime(namespace.get(keys), patience);
  return JSON.stringify(keys.map((key) => found.get(key) ?? null));
}

/** Puts a value; what is undefined counts as not given. */
export function put(namespace, key, value, metadata, expirationTtl, patience) {
  return inTime(namespace.put(key, value, { metadata, expirationTtl }), patience);
}

/** Removes a key. */
export function remove(namespace, key, patience) {
  return inTime(namespace.delete(key), patience);
}

/**
 * A page of keys as one text in UTF-8: a line of lengths, separated by commas, then what has these lengths,
 * end to end: the next page's cursor, if there is one, then each key's name, metadata and expiration, empty
 * for none, in turn. Metadata that is no text counts as empty, as do names and metadata beyond ASCII: this vault writes neither.
 */
export async function listKeys(namespace, prefix, limit, cursor, patience) {
  const page = await inTime(namespace.list({ prefix, limit, cursor }), patience);
  const texts = [page.list_complete ? "" : page.cursor];
  for (const { name, metadata, expiration } of page.keys) {
    texts.push(name, typeof metadata === "string" ? metadata : "", expiration ? String(expiration) : "");
  }
  return inAscii(texts) ?? inAscii(texts.map((text) => (/^[\0-\x7f]*$/.test(text) ? text : "")));
}

/** The texts with their lengths; nothing when they aren't ASCII, as then the lengths aren't those of the bytes. */
function inAscii(texts) {
  const text = `${texts.map(({ length }) => length)}\n${texts.join("")}`;
  const bytes = new TextEncoder().encode(text);
  return bytes.length === text.length ? bytes : undefined;
}
