// An issuer of grant tokens: keys, their JWK Set, and tokens in both spellings of the claims.

import { randomUUID } from "node:crypto";
import { SignJWT, exportJWK, exportPKCS8, generateKeyPair } from "jose";

export const ISSUER = "https://issuer.test";

export const now = () => Math.floor(Date.now() / 1000);

/** A key pair with its public JWK. */
export async function makeKey(alg, kid) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
  return { alg, kid, privateKey, publicKey, jwk };
}

/** The claims of a grant as `standard` (0.6) or `legacy` tokens spell them. */
export function grantClaims(spelling, { developerId, principal, scopes, jti = randomUUID(), grantId, parentGrantId }) {
  const common = { iss: ISSUER, sub: principal, jti, iat: now(), exp: now() + 3600 };
  if (spelling === "legacy") {
    return {
      ...common,
      agt: "did:grantex:agent-1",
      dev: developerId,
      scp: scopes,
      ...(grantId && { grnt: grantId }),
      ...(parentGrantId && { parentGrnt: parentGrantId, delegationDepth: 1 }),
    };
  }
  return {
    ...common,
    scope: scopes.join(" "),
    "urn:grantex:grant": {
      agent_did: "did:grantex:agent-1",
      developer_id: developerId,
      ...(grantId && { grant_id: grantId }),
      ...(parentGrantId && { parent_grant_id: parentGrantId, delegation_depth: 1 }),
    },
  };
}

export class Issuer {
  /** `secrets` notes the private keys and every token that is issued. */
  static async create(secrets) {
    const issuer = new Issuer();
    issuer.secrets = secrets;
    issuer.keys = { RS256: await makeKey("RS256", "rsa-1"), ES256: await makeKey("ES256", "ec-1") };
    for (const key of Object.values(issuer.keys)) {
      secrets.add(`${key.kid}'s private exponent`, (await exportJWK(key.privateKey)).d);
      secrets.add(`${key.kid}'s PKCS #8`, (await exportPKCS8(key.privateKey)).split("\n")[1]);
    }
    return issuer;
  }

  get jwks() {
    return { keys: Object.values(this.keys).map(({ jwk }) => jwk) };
  }

  get settings() {
    return { GRANT_ISSUER: ISSUER, GRANT_JWKS: JSON.stringify(this.jwks) };
  }

  /** Signs `claims` as they are; `header` is laid over the usual one. */
  async sign(claims, { alg = "ES256", key = this.keys[alg], header = {} } = {}) {
    const token = await new SignJWT(claims).setProtectedHeader({ alg, kid: key.kid, typ: "JWT", ...header }).sign(key.privateKey);
    return this.note(token);
  }

  /** A good token for `grant`, {developerId, principal, scopes, jti?, grantId?, parentGrantId?}. */
  grant(grant, { spelling = "standard", claims = {}, ...signing } = {}) {
    return this.sign({ ...grantClaims(spelling, grant), ...claims }, signing);
  }

  /** Notes a token, and its signature by itself. */
  note(token) {
    this.secrets.add("a grant token's signature", token.split(".")[2]);
    return this.secrets.add("a grant token", token);
  }
}
