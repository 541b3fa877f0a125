// A grant token as far as a page can judge it: its form, its claims and its times. The signature needs the
// issuer's keys; whether it was revoked, only the vault knows.

import { decodeJwt, decodeProtectedHeader } from "jose";
import { DAY } from "./expiry";

export interface Claims {
  issuer?: string;
  audience: string[];
  principalId?: string;
  agentDid?: string;
  developerId?: string;
  grantId?: string;
  tokenId?: string;
  scopes: string[];
  issuedAt?: number;
  notBefore?: number;
  expiresAt?: number;
  isBound: boolean;
  algorithm?: string;
}

export interface Check {
  what: string;
  isGood: boolean;
  why?: string;
}

const SKEW = 60_000;
const LONGEST_LIFE = 400 * DAY;
const LONGEST_TOKEN = 16 * 1024;

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const moment = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value * 1000 : undefined);

/** What a token says; undefined for what is no token. Both spellings of the claims are read. */
export function readGrant(token: string): Claims | undefined {
  try {
    const header = decodeProtectedHeader(token);
    const claims = decodeJwt(token);
    if (token.split(".").length !== 3) return undefined;
    const standard = (claims["urn:grantex:grant"] ?? {}) as Record<string, unknown>;
    const legacy = Array.isArray(claims.scp) ? claims.scp : undefined;
    const scopes = (claims["urn:grantex:grant"] ? undefined : legacy) ?? text(claims.scope)?.split(" ") ?? legacy ?? [];
    return {
      issuer: text(claims.iss),
      audience: [claims.aud ?? []].flat(),
      principalId: text(claims.sub),
      agentDid: text(standard.agent_did) ?? text(claims.agt),
      developerId: text(standard.developer_id) ?? text(claims.dev),
      grantId: text(standard.grant_id) ?? text(claims.grnt) ?? text(claims.jti),
      tokenId: text(claims.jti),
      scopes: scopes.filter((scope): scope is string => typeof scope === "string" && scope !== ""),
      issuedAt: moment(claims.iat),
      notBefore: moment(claims.nbf),
      expiresAt: moment(claims.exp),
      isBound: claims.cnf !== undefined,
      algorithm: text(header.alg),
    };
  } catch {
    return undefined;
  }
}

/** What can be checked here, in the order that the vault checks it. */
export function checksOf(token: string, claims: Claims, now: number, developerId: string): Check[] {
  const missing = Object.entries({
    iss: claims.issuer, sub: claims.principalId, jti: claims.tokenId, iat: claims.issuedAt, exp: claims.expiresAt,
    agent: claims.agentDid, developer: claims.developerId,
  }).flatMap(([name, value]) => (value === undefined ? [name] : []));
  const { issuedAt, notBefore, expiresAt } = claims;
  const isExpired = expiresAt !== undefined && expiresAt + SKEW <= now;
  const isEarly = Math.max(notBefore ?? 0, issuedAt ?? 0) - SKEW > now;
  const isLong = expiresAt !== undefined && issuedAt !== undefined && expiresAt - issuedAt > LONGEST_LIFE;
  return [
    { what: "Signed with RS256 or ES256", isGood: ["RS256", "ES256"].includes(claims.algorithm ?? ""), why: `its algorithm is ${claims.algorithm ?? "missing"}` },
    { what: "At most 16 KiB", isGood: token.length <= LONGEST_TOKEN, why: "the vault refuses a longer one" },
    { what: "Every claim is there", isGood: missing.length === 0, why: `without ${missing.join(", ")}` },
    { what: "Its time has come", isGood: !isEarly, why: "not valid yet" },
    { what: "It hasn't expired", isGood: !isExpired, why: "it has" },
    { what: "Lives at most 400 days", isGood: !isLong, why: "the vault refuses one that lives longer" },
    { what: "Not bound to a key of the agent's", isGood: !claims.isBound, why: "this page can't prove that it holds the key" },
    { what: "For your own vault", isGood: claims.developerId === developerId, why: `for ${claims.developerId ?? "nobody"}, not you` },
  ];
}

/** The services that scopes name: candidates, for the package to judge. */
export function servicesNamed(scopes: string[]): string[] {
  return scopes.flatMap((scope) => scope.split(":")).filter((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(part));
}
