// Holders of keys that grant tokens are bound to, and the proofs that they sign (RFC 9449).

import { createHash, randomUUID } from "node:crypto";
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { now } from "./grants.mjs";

export const PROOF_ALGORITHMS = ["ES256", "EdDSA", "RS256"];

export class Holder {
  static async create(alg) {
    return Holder.of(await generateKeyPair(alg, { extractable: true }), alg);
  }

  static async of({ privateKey, publicKey }, alg) {
    const holder = new Holder();
    Object.assign(holder, { alg, privateKey, publicKey, jwk: await exportJWK(publicKey) });
    holder.jkt = await calculateJwkThumbprint(holder.jwk);
    return holder;
  }

  /** What binds a grant token to this key. */
  get claims() {
    return { cnf: { jkt: this.jkt } };
  }

  /** A proof for a request; `claims` and `header` are laid over good ones. */
  proof(token, htu, { claims = {}, header = {} } = {}) {
    const ath = createHash("sha256").update(token).digest("base64url");
    const all = { jti: randomUUID(), htm: "POST", htu, iat: now(), ath, ...claims };
    return new SignJWT(all).setProtectedHeader({ typ: "dpop+jwt", alg: this.alg, jwk: this.jwk, ...header }).sign(this.privateKey);
  }
}
