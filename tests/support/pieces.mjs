// Finds what is left of a secret in WebAssembly memory.

/** Bytes that are enough to be a secret's, and no chance. */
const PIECE = 12;

/**
 * Where in the memory pieces of a text are. What was freed has lost its first bytes to the allocator, so
 * the end and the middle are looked for too.
 * @param {Buffer} memory
 * @param {string | Uint8Array} text
 */
export function placesOf(memory, text) {
  const bytes = Buffer.from(text);
  const places = new Set();
  for (const start of [0, Math.floor((bytes.length - PIECE) / 2), bytes.length - PIECE]) {
    const piece = bytes.subarray(start, start + PIECE);
    for (let at = memory.indexOf(piece); at >= 0; at = memory.indexOf(piece, at + 1)) places.add(at - start);
  }
  return [...places];
}
