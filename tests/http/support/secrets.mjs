// What a run must not leave behind: every token, key, principal and piece of metadata that a suite
// uses is noted here, and looked for at its end in all that workerd wrote and in the KV namespace.

/** Values shorter than this would be found by chance. */
const SHORTEST = 6;

/** A value as it may appear: as it is, inside JSON, percent-encoded, in hexadecimal, in base64. */
function spellings(value) {
  const bytes = Buffer.from(value, "utf8");
  const inJson = JSON.stringify(value).slice(1, -1);
  // Base64 of the value where it starts at each of the three offsets in a group, less the
  // characters that its neighbours share.
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const shared = (bytes.length + offset) % 3 === 0 ? 0 : 1;
    return text.slice(Math.ceil((offset * 8) / 6), text.length - shared);
  });
  return [
    value,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  ];
}

export class Secrets {
  #values = new Map();

  /** Notes `value`, and returns it. `what` names it where it is found. */
  add(what, value) {
    if (typeof value === "string" && value.length >= SHORTEST) this.#values.set(value, what);
    return value;
  }

  get size() {
    return this.#values.size;
  }

  /** The names of what is found in `haystack` (a string or a Buffer), with how it is spelled there. */
  foundIn(haystack) {
    const bytes = Buffer.from(haystack);
    const found = [];
    for (const [value, what] of this.#values) {
      const spelling = spellings(value).find((text) => bytes.includes(text));
      if (spelling) found.push(`${what} as ${spelling.slice(0, 40)}`);
    }
    return found;
  }
}
