// Tokens that no library would make: compact JWS put together by hand, valid but for what a test bends.

import { KeyObject, createHmac, sign } from "node:crypto";

export const base64url = (value) => Buffer.from(value).toString("base64url");

/** Signatures by algorithm: (signing input, key) -> bytes. */
export const signatures = {
  RS256: (input, key) => sign("sha256", input, KeyObject.from(key.privateKey)),
  RS512: (input, key) => sign("sha512", input, KeyObject.from(key.privateKey)),
  ES256: (input, key) => sign("sha256", input, { key: KeyObject.from(key.privateKey), dsaEncoding: "ieee-p1363" }),
  ES256asDer: (input, key) => sign("sha256", input, KeyObject.from(key.privateKey)),
  HS256: (input, secret) => createHmac("sha256", secret).update(input).digest(),
  none: () => Buffer.alloc(0),
};

const json = (part) => (typeof part === "string" || Buffer.isBuffer(part) ? part : JSON.stringify(part));

/** A token of `header` and `payload`, objects or JSON text as it is, signed for real over those. */
export function forge({ header, payload, key, signature = signatures[header?.alg] }) {
  const input = `${base64url(json(header))}.${base64url(json(payload))}`;
  return `${input}.${base64url(signature(Buffer.from(input), key))}`;
}
