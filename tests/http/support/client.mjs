// A client of the vault that takes no answer on trust: whatever a test asks, each answer must carry
// the headers that the contract promises, an id of its own, and errors in their one shape.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";

export const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
export const CREDENTIAL_ID = /^vault_[0-9A-HJKMNP-TV-Z]{26}$/;
const REQUEST_ID = /^req_[0-9A-HJKMNP-TV-Z]{26}$/;
const CHALLENGE = /^(Bearer|DPoP error="(invalid_token|invalid_dpop_proof)", algs="ES256 EdDSA RS256")$/;
const API_CSP = "default-src 'none'; frame-ancestors 'none'";

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

const seen = new Set();

/** What every answer must be, whatever was asked. */
function check(method, answer, { page = false } = {}) {
  const { status, headers, text } = answer;
  const where = `${method} ${answer.path.slice(0, 200)} -> ${status} ${text.slice(0, 200)}`;
  const requestId = headers["x-request-id"];
  assert.match(requestId ?? "", REQUEST_ID, `X-Request-Id of ${where}`);
  assert.ok(!seen.has(requestId), `X-Request-Id is used once: ${where}`);
  seen.add(requestId);
  assert.equal(headers["cache-control"], "no-store", `Cache-Control of ${where}`);
  assert.equal(headers["x-content-type-options"], "nosniff", `X-Content-Type-Options of ${where}`);
  assert.match(headers["strict-transport-security"] ?? "", /^max-age=\d{7,}/, `HSTS of ${where}`);
  assert.equal(headers["referrer-policy"], "no-referrer", `Referrer-Policy of ${where}`);
  if (!page) assert.equal(headers["content-security-policy"], API_CSP, `CSP of ${where}`);
  if (status === 204 || method === "HEAD") assert.equal(text, "", `no body: ${where}`);
  if (status === 204) assert.equal(headers["content-type"], undefined, `no Content-Type: ${where}`);
  if (status === 401) assert.match(headers["www-authenticate"] ?? "", CHALLENGE, `WWW-Authenticate of ${where}`);
  if (status === 405) assert.ok(headers.allow, `Allow of ${where}`);
  if (status === 429) {
    for (const name of ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]) {
      assert.match(headers[name] ?? "", /^\d+$/, `${name} of ${where}`);
    }
  }
  if (status === 503) assert.match(headers["retry-after"] ?? "", /^\d+$/, `Retry-After of ${where}`);
  if (text && !page) assert.match(headers["content-type"] ?? "", /^application\/json\b/, `Content-Type of ${where}`);
  if (status >= 400 && answer.body?.error && answer.path === "/oauth/token") {
    assert.deepEqual(Object.keys(answer.body).sort(), ["error", "error_description"], `an OAuth error: ${where}`);
    assert.match(answer.body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, `error_description of ${where}`);
    assert.equal(headers.pragma, "no-cache", `Pragma of ${where}`);
  } else if (status >= 400 && method !== "HEAD" && answer.path !== "/health") {
    assert.deepEqual(Object.keys(answer.body ?? {}).sort(), ["code", "message", "requestId"], `an error: ${where}`);
    assert.equal(answer.body.requestId, requestId, `requestId of ${where}`);
    assert.equal(answer.body.code, CODES[status], `code of ${where}`);
    assert.ok(typeof answer.body.message === "string" && answer.body.message, `message of ${where}`);
  }
  return answer;
}

/**
 * Sends one request and returns {status, headers, text, body, path}; `body` is the answer's JSON.
 * `json` is sent as JSON; `body` as it is, with `headers`; an array of buffers is sent chunked,
 * without a Content-Length. `path` reaches the Worker as it is written, dots and all.
 */
export async function send(worker, method, path, { bearer, json, body, headers = {}, page } = {}) {
  const sent = { ...headers };
  if (bearer !== undefined) sent.Authorization ??= `Bearer ${bearer}`;
  if (json !== undefined) {
    body = JSON.stringify(json);
    sent["Content-Type"] ??= "application/json";
  }
  const answer = { path, ...(await exchange(worker.url, { method, path, headers: sent, agent: false }, body)) };
  try {
    answer.body = JSON.parse(answer.text);
  } catch {
    answer.body = undefined;
  }
  return check(method, answer, { page });
}

/**
 * Sends one request over a connection of its own: {status, headers, text}. workerd closes a connection
 * when most of a body is still to come and nobody wants it; when that beats its answer here, ask again.
 */
async function exchange(url, options, body, attempts = 5) {
  try {
    return await new Promise((resolve, reject) => {
      const request = httpRequest(url, options, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status, headers } = response;
          resolve({ status, headers, text: Buffer.concat(chunks).toString("utf8") });
        });
      });
      request.on("error", reject);
      if (Array.isArray(body)) {
        for (const chunk of body) request.write(chunk);
        request.end();
      } else {
        if (body !== undefined) request.setHeader("Content-Length", Buffer.byteLength(body));
        request.end(body);
      }
    });
  } catch (error) {
    const size = [body ?? ""].flat().reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
    if (size < 64 * 1024 || !["EPIPE", "ECONNRESET"].includes(error.code) || attempts === 1) throw error;
    return exchange(url, options, body, attempts - 1);
  }
}

/** A developer with an API key, and what one does with it. Notes the secrets that pass through. */
export class Developer {
  constructor(vault, { developerId, apiKey, ...rest }) {
    Object.assign(this, { vault, developerId, apiKey }, rest);
    vault.secrets.add("an API key", apiKey);
  }

  send(method, path, options = {}) {
    return send(this.vault.worker, method, path, { bearer: this.apiKey, ...options });
  }

  store(credential) {
    const { secrets } = this.vault;
    secrets.add("an access token", credential.accessToken);
    secrets.add("a refresh token", credential.refreshToken);
    secrets.add("a principal", credential.principalId);
    return this.send("POST", "/v1/vault/credentials", { json: credential });
  }

  list(query = {}) {
    return this.send("GET", `/v1/vault/credentials?${new URLSearchParams(query)}`);
  }

  get(id) {
    return this.send("GET", `/v1/vault/credentials/${id}`);
  }

  delete(id) {
    return this.send("DELETE", `/v1/vault/credentials/${id}`);
  }

  /** A grant token of this developer's: {principal, scopes, ...}; see `Issuer.grant`. */
  grant(grant, options) {
    return this.vault.issuer.grant({ developerId: this.developerId, ...grant }, options);
  }

  revokeToken(jti) {
    return this.send("POST", "/v1/tokens/revoke", { json: { jti } });
  }

  revokeGrant(grantId) {
    return this.send("DELETE", `/v1/grants/${encodeURIComponent(grantId)}`);
  }
}
