// The HTTP contract from the caller's side. Plain JavaScript: the core is not loaded for it.

import * as check from "./check.js";
import { VaultError } from "./errors.js";

const DEFAULT_TIMEOUT = 30_000;
const DEFAULT_RETRIES = 3;
const RETRIED_STATUSES = [429, 502, 503, 504];
/** Delay before the first retry, in milliseconds; it doubles with each. */
const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;
/** Longest Retry-After that is waited for, in milliseconds; a longer one is the caller's to wait. */
const LONGEST_RETRY_AFTER = 60_000;
/** setTimeout takes no more. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Codes of the HTTP contract, for an answer that has none: a proxy's, say. */
const CODES = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  409: "CONFLICT",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  429: "TOO_MANY_REQUESTS",
  500: "INTERNAL_ERROR",
  503: "SERVICE_UNAVAILABLE",
};

export class VaultClient {
  #baseUrl;
  #apiKey;
  #fetch;
  #timeout;
  #maxRetries;

  constructor(options) {
    const { baseUrl, apiKey, fetch, timeout, maxRetries } = check.object(options, "options");
    this.#baseUrl = baseUrlOf(baseUrl);
    this.#apiKey = check.optional(check.headerValue, apiKey, "apiKey");
    this.#fetch = check.optional(check.callable, fetch, "fetch") ?? globalThis.fetch;
    this.#timeout = check.optional(check.numberBetween(1, LONGEST_TIMEOUT), timeout, "timeout") ?? DEFAULT_TIMEOUT;
    this.#maxRetries = check.optional(check.numberBetween(0, 10), maxRetries, "maxRetries") ?? DEFAULT_RETRIES;
    this.tokens = { revoke: (tokenId, options) => this.#revokeToken(tokenId, options) };
    this.grants = { revoke: (grantId, options) => this.#revokeGrant(grantId, options) };
  }

  async store(params, options) {
    return this.#call("POST", "/v1/vault/credentials", { body: check.storeBody(params), options });
  }

  async list(params, options) {
    const query = check.listQuery(params);
    return this.#call("GET", `/v1/vault/credentials${query && `?${query}`}`, { options });
  }

  async get(credentialId, options) {
    return this.#call("GET", `/v1/vault/credentials/${segment(credentialId, "credentialId")}`, { options });
  }

  async delete(credentialId, options) {
    await this.#call("DELETE", `/v1/vault/credentials/${segment(credentialId, "credentialId")}`, { options });
  }

  async exchange(grantToken, params, options) {
    const token = check.headerValue(grantToken, "grantToken");
    return this.#call("POST", "/v1/vault/credentials/exchange", { token, body: check.exchangeBody(params), options });
  }

  async resolveReference(credentialRef, options) {
    return this.#call("POST", "/v1/vault/references/resolve", { body: check.referenceBody(credentialRef), options });
  }

  async #revokeToken(tokenId, options) {
    await this.#call("POST", "/v1/tokens/revoke", { body: JSON.stringify({ jti: check.string(tokenId, "tokenId") }), options });
  }

  async #revokeGrant(grantId, options) {
    await this.#call("DELETE", `/v1/grants/${segment(grantId, "grantId")}`, { options });
  }

  /** Makes a call, again where that may help. Every call of the contract may be repeated. */
  async #call(method, path, { token = this.#apiKey, body, options = {} }) {
    const { signal } = check.object(options, "options");
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError("options.signal must be an AbortSignal");
    if (token === undefined) throw new TypeError("apiKey must be given to the VaultClient for this call");
    const headers = { Accept: "application/json", Authorization: `Bearer ${token}`, ...(body !== undefined && { "Content-Type": "application/json" }) };
    // Nobody follows a redirect: it would take the token along.
    const request = { method, headers, body, redirect: "manual" };
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(this.#baseUrl + path, request, signal);
      // An earlier attempt, whose answer was lost, may have deleted it.
      if (method === "DELETE" && attempt > 0 && outcome.error?.status === 404) return undefined;
      if (!outcome.error) return outcome.answer;
      const delay = outcome.retry && attempt < this.#maxRetries ? delayBefore(attempt, outcome.retryAfter) : undefined;
      if (delay === undefined) throw outcome.error;
      await sleep(delay, signal);
    }
  }

  /** One request: {answer}, or {error, retry, retryAfter} where retry says whether another may help. */
  async #attempt(url, request, signal) {
    if (signal?.aborted) throw aborted(signal);
    const controller = new AbortController();
    const abort = () => controller.abort();
    signal?.addEventListener("abort", abort, { once: true });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      abort();
    }, this.#timeout);
    try {
      // Not as a method of this object: a browser's fetch refuses that.
      const fetch = this.#fetch;
      const response = await fetch(url, { ...request, signal: controller.signal });
      return outcomeOf(response, await response.text());
    } catch (cause) {
      if (signal?.aborted) throw aborted(signal);
      const error = isLate
        ? new VaultError(`The vault did not answer within ${this.#timeout} ms`, { code: "TIMEOUT" })
        : new VaultError("The vault could not be reached", { code: "NETWORK_ERROR", cause });
      return { error, retry: true };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

/** What an answer is: the contract's, or an error of its form, or something else's altogether. */
function outcomeOf(response, text) {
  const { status, headers } = response;
  const requestId = headers.get("x-request-id") ?? undefined;
  const json = parse(text);
  if (status === 204) return { answer: undefined };
  if (status >= 200 && status < 300 && json) return { answer: json };
  if (status >= 200 && status < 400) {
    // A browser shows a redirect as status 0, which is not in this range but below.
    return { error: new VaultError(`The answer is not the vault's (status ${status})`, { code: "UNEXPECTED_ANSWER", status, requestId }) };
  }
  if (status === 0) return { error: new VaultError("The answer is a redirect, which is not followed", { code: "UNEXPECTED_ANSWER", status }) };
  const error = new VaultError(typeof json?.message === "string" ? json.message : `The vault answered with status ${status}`, {
    code: typeof json?.code === "string" ? json.code : (CODES[status] ?? `HTTP_${status}`),
    status,
    requestId: typeof json?.requestId === "string" ? json.requestId : requestId,
  });
  return { error, retry: RETRIED_STATUSES.includes(status), retryAfter: headers.get("retry-after") };
}

/** A JSON object, or nothing. */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Milliseconds to wait, or undefined where that would be too long. */
function delayBefore(attempt, retryAfter) {
  const asked = retryAfterMs(retryAfter);
  if (asked !== undefined) return asked <= LONGEST_RETRY_AFTER ? asked : undefined;
  const longest = Math.min(FIRST_DELAY * 2 ** attempt, LONGEST_DELAY);
  // Half of it at random, so that clients that failed together don't return together.
  return longest * (0.5 + Math.random() / 2);
}

/** Retry-After is a number of seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(text) {
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    };
    const stop = () => {
      end();
      reject(aborted(signal));
    };
    const timer = setTimeout(() => {
      end();
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
  });
}

function aborted(signal) {
  return new VaultError("The call was aborted", { code: "ABORTED", cause: signal.reason });
}

function baseUrlOf(value) {
  const { protocol, username, password, search, hash, origin, pathname } = new URL(check.url(value, "baseUrl"));
  const isPlain = !username && !password && !search && !hash;
  if (!["http:", "https:"].includes(protocol) || !isPlain) throw new TypeError("baseUrl must be an http or https URL without credentials, query or fragment");
  return origin + pathname.replace(/\/+$/, "");
}

/** An id as a part of a path. */
function segment(id, name) {
  // What a URL parser would take for a step up or no step at all is no id.
  if (["", ".", ".."].includes(check.wellFormed(id, name))) throw new TypeError(`${name} must be an id`);
  return encodeURIComponent(id);
}
