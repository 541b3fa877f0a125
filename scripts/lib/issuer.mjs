// The development issuer: signs grant tokens that the development vault accepts. Its private key is in
// .dev/issuer.jwk.json, where the Worker doesn't see it; its public key is in .dev.vars (GRANT_JWKS).

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { at, Problem, readIfThere } from "./run.mjs";

export const DEV_ISSUER = "https://issuer.localhost";
export const ISSUER_FILE = at(".dev", "issuer.jwk.json");
export const DEVELOPER_FILE = at(".dev", "developer.json");

/** The vault refuses grants that live longer. */
const LONGEST_GRANT = 400 * 86_400;
const DEFAULT_AGENT = "did:web:agent.localhost";

const START_AGAIN = "delete it together with the GRANT_ISSUER and GRANT_JWKS lines of .dev.vars, and run `npm start`";

/** A new ES256 key as a private JWK. Its kid is its RFC 7638 thumbprint. */
export function makeIssuer() {
  const { kty, crv, x, y, d } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
  return { kty, crv, x, y, d, kid, alg: "ES256", use: "sig" };
}

/** The development issuer's private JWK, or undefined when there is none yet. */
export function readIssuer(text = readIfThere(ISSUER_FILE)) {
  if (text === undefined) return undefined;
  try {
    const jwk = JSON.parse(text);
    // The public half must be the private half's: the vault is told the one, tokens are signed with the other.
    const { x, y } = createPublicKey(createPrivateKey({ key: jwk, format: "jwk" })).export({ format: "jwk" });
    if (jwk.crv === "P-256" && jwk.x === x && jwk.y === y && typeof jwk.kid === "string") return jwk;
  } catch {
    // Reported below, without the parser's message: that may quote the key.
  }
  throw new Problem(`.dev/issuer.jwk.json is not a private ES256 JWK with a kid: ${START_AGAIN}.`);
}

/** The JWK Set that the vault gets: the public key alone. */
export function publicJwks({ kty, crv, x, y, kid, alg, use }) {
  return { keys: [{ kty, crv, x, y, kid, alg, use }] };
}

/** Whether one of the vault's issuer settings is the development issuer's. */
export function issuerMatches(name, value, issuer) {
  if (name === "GRANT_ISSUER") return value === DEV_ISSUER;
  if (name === "GRANT_JWKS_URL") return value === "";
  try {
    return JSON.parse(value).keys.some(({ kid, x, y }) => kid === issuer.kid && x === issuer.x && y === issuer.y);
  } catch {
    return false;
  }
}

/**
 * Why the vault with these settings would not accept the development issuer's grants; undefined when it would.
 * @param {Record<string, string>} settings
 * @param {object | undefined} issuer its private JWK
 */
export function whyNoGrant(settings, issuer) {
  // To the vault an empty setting is none.
  const [GRANT_ISSUER, GRANT_JWKS, GRANT_JWKS_URL] = ["GRANT_ISSUER", "GRANT_JWKS", "GRANT_JWKS_URL"].map((name) => settings[name]?.trim() || undefined);
  if (GRANT_ISSUER !== undefined && GRANT_ISSUER !== DEV_ISSUER) {
    return `GRANT_ISSUER is ${GRANT_ISSUER}: only that issuer can sign grant tokens for this vault.`;
  }
  if (GRANT_JWKS === undefined && GRANT_JWKS_URL !== undefined) {
    return `the vault takes its issuer's keys from GRANT_JWKS_URL (${GRANT_JWKS_URL}), and they are not the development issuer's.`;
  }
  if (!issuer) {
    return GRANT_JWKS === undefined
      ? "there is no development issuer yet: run `npm start` once."
      : "GRANT_JWKS holds keys, but the development issuer's private key (.dev/issuer.jwk.json) is not there. To get a new one, remove GRANT_ISSUER and GRANT_JWKS from .dev.vars and run `npm start`.";
  }
  if (GRANT_ISSUER === undefined || GRANT_JWKS === undefined) {
    return "GRANT_ISSUER and GRANT_JWKS are not both set. Remove them from .dev.vars and run `npm start`, which sets them to the development issuer.";
  }
  if (!issuerMatches("GRANT_JWKS", GRANT_JWKS, issuer)) {
    return "GRANT_JWKS does not hold the development issuer's public key (.dev/issuer.jwk.json). To use the development issuer, remove GRANT_ISSUER and GRANT_JWKS from .dev.vars and run `npm start`.";
  }
  return undefined;
}

/** Seconds in "30s", "15m", "1h" or "7d". */
export function parseDuration(text) {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * { s: 1, m: 60, h: 3600, d: 86_400 }[unit];
  if (!(seconds > 0)) throw new Problem(`"${text}" is no duration: write a number and s, m, h or d, as in 30s, 15m, 1h or 7d.`);
  if (seconds > LONGEST_GRANT) throw new Problem(`${text} is too long: the vault refuses grants that live longer than 400 days.`);
  return seconds;
}

/**
 * Signs a grant token.
 * @param {object} issuer the private JWK
 * @param {object} grant
 * @param {string} grant.developer whose vault it opens
 * @param {string} grant.principal whose credentials
 * @param {string[]} grant.scopes
 * @param {number} grant.seconds how long it lives
 * @param {string} [grant.agent] the agent's DID
 * @param {string} [grant.audience] required when the vault has a GRANT_AUDIENCE
 * @returns {Promise<string>} the compact JWT
 */
export async function signGrant(issuer, { developer, principal, scopes, seconds, agent = DEFAULT_AGENT, audience }) {
  const { SignJWT, importJWK } = await import("jose").catch(() => {
    throw new Problem("The npm packages are not there yet: run `npm ci` or `npm start` once.");
  });
  const now = Math.floor(Date.now() / 1000);
  const id = (prefix) => `${prefix}_${randomBytes(16).toString("base64url")}`;
  const claims = {
    scope: scopes.join(" "),
    "urn:grantex:grant": { agent_did: agent, developer_id: developer, grant_id: id("grnt") },
  };
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: issuer.kid })
    .setIssuer(DEV_ISSUER)
    .setSubject(principal)
    .setJti(id("tok"))
    .setIssuedAt(now)
    .setExpirationTime(now + seconds);
  if (audience) token.setAudience(audience);
  return token.sign(await importJWK(issuer, "ES256"));
}

/**
 * The development developer that `npm start` made.
 * @returns {{developerId: string, apiKey: string} | undefined} undefined when there is none yet
 */
export function readDeveloper(text = readIfThere(DEVELOPER_FILE)) {
  if (text === undefined) return undefined;
  try {
    const { developerId, apiKey } = JSON.parse(text);
    if (typeof developerId === "string" && typeof apiKey === "string") return { developerId, apiKey };
  } catch {
    // Reported below.
  }
  throw new Problem(".dev/developer.json is damaged: delete it and run `npm start`, which signs up a new development developer.");
}
