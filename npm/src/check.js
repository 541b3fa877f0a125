// Checks of arguments. A wrong type is a TypeError that names the argument, thrown before anything is
// done; what the right type can still get wrong is for the core to say, with its one set of limits.

const KEY_FORM = "must be 32 bytes: a Uint8Array, 64 hexadecimal characters or 44 base64 characters";

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isAbsent = (value) => value === undefined || value === null;

export function object(value, name) {
  if (!isObject(value)) throw new TypeError(`${name} must be an object`);
  return value;
}

export function string(value, name) {
  if (typeof value !== "string") throw new TypeError(`${name} must be a string`);
  return value;
}

export function nonEmptyString(value, name) {
  if (string(value, name).trim() === "") throw new TypeError(`${name} must not be empty`);
  return value;
}

/** `null` counts as left out, as in the HTTP contract. */
export function optional(check, value, name) {
  return isAbsent(value) ? undefined : check(value, name);
}

export function callable(value, name) {
  if (typeof value !== "function") throw new TypeError(`${name} must be a function`);
  return value;
}

export function oneOf(choices) {
  return (value, name) => {
    if (!choices.includes(value)) throw new TypeError(`${name} must be ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}`);
    return value;
  };
}

export function number(value, name) {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number`);
  return value;
}

export function numberBetween(least, most) {
  return (value, name) => {
    if (typeof value !== "number" || !(value >= least && value <= most)) throw new TypeError(`${name} must be a number from ${least} to ${most}`);
    return value;
  };
}

export function strings(value, name) {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw new TypeError(`${name} must be an array of strings`);
  return value;
}

/** A text that survives being encoded as UTF-8. */
export function wellFormed(value, name) {
  if (/\p{Surrogate}/u.test(string(value, name))) throw new TypeError(`${name} must not contain lone surrogates`);
  return value;
}

/** A secret that can travel in a header. It is never part of the message. */
export function headerValue(value, name) {
  if (!/^[\x21-\x7e]+$/.test(string(value, name))) throw new TypeError(`${name} must be printable ASCII without spaces`);
  return value;
}

/** 32 bytes of key, a copy. @returns {Uint8Array} */
export function key(value, name) {
  const bytes = value instanceof Uint8Array ? Uint8Array.from(value) : typeof value === "string" ? decodeKey(value.trim()) : undefined;
  if (bytes?.length !== 32) throw new TypeError(`${name} ${KEY_FORM}`);
  return bytes;
}

function decodeKey(text) {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Uint8Array.from(text.match(/../g), (byte) => Number.parseInt(byte, 16));
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  const binary = atob(text);
  return btoa(binary) === text ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : undefined;
}

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The option `grants`, as src/bindings/verifier.rs takes it. */
export function grantOptions(grants, name) {
  const { issuer, audience, jwks, jwksUrl } = object(grants, name);
  if (isAbsent(jwks) === isAbsent(jwksUrl)) throw new TypeError(`${name} must have one of jwks and jwksUrl`);
  return {
    issuer: nonEmptyString(issuer, `${name}.issuer`),
    audience: optional(nonEmptyString, audience, `${name}.audience`),
    jwks: optional(jwkSet, jwks, `${name}.jwks`),
    jwksUrl: optional(url, jwksUrl, `${name}.jwksUrl`),
  };
}

function jwkSet(value, name) {
  if (!Array.isArray(object(value, name).keys)) throw new TypeError(`${name} must be a JWK Set, an object with an array of keys`);
  return json(value, name);
}

export function url(value, name) {
  if (!URL.canParse(value instanceof URL ? value.href : nonEmptyString(value, name))) throw new TypeError(`${name} must be a URL`);
  return String(value);
}

/** A value as JSON text. */
function json(value, name) {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`${name} must be JSON: ${cause instanceof Error ? cause.message : "it can't be written"}`);
  }
}

/** What is stored, as the body of the HTTP call. */
export function storeBody(params) {
  const { principalId, service, credentialType, accessToken, refreshToken, tokenExpiresAt, metadata } = object(params, "params");
  const body = {
    principalId: string(principalId, "principalId"),
    service: string(service, "service"),
    credentialType: optional(string, credentialType, "credentialType"),
    accessToken: string(accessToken, "accessToken"),
    refreshToken: optional(string, refreshToken, "refreshToken"),
    tokenExpiresAt: optional(moment, tokenExpiresAt, "tokenExpiresAt"),
    metadata: optional(object, metadata, "metadata"),
  };
  return json(body, "metadata");
}

function moment(value, name) {
  if (!(value instanceof Date)) return string(value, name);
  if (Number.isNaN(value.getTime())) throw new TypeError(`${name} must be a valid date`);
  return value.toISOString();
}

/** Which credentials are listed, as the query of the HTTP call. */
export function listQuery(params = {}) {
  const { principalId, service, limit, cursor } = object(params, "params");
  const query = new URLSearchParams();
  const set = (name, value) => value === undefined || query.set(name, String(value));
  set("principalId", optional(wellFormed, principalId, "principalId"));
  set("service", optional(wellFormed, service, "service"));
  set("limit", optional(number, limit, "limit"));
  set("cursor", optional(wellFormed, cursor, "cursor"));
  return query.toString();
}

/** The body of an exchange. */
export function exchangeBody(params) {
  const { service, delivery } = object(params, "params");
  const body = {
    service: string(service, "service"),
    delivery: optional(oneOf(["credential", "reference"]), delivery, "delivery"),
  };
  return JSON.stringify(body);
}

/** The body of a call to resolve a reference. */
export function referenceBody(credentialRef) {
  return JSON.stringify({ credentialRef: string(credentialRef, "credentialRef") });
}
