// A stand-in for Grantex's API: API keys, the issuer's keys, and whether a grant token stands. It can be
// made to misbehave: `misbehave` handles the requests in its stead.

import { createServer } from "node:http";

export class Grantex {
  /** Requests since the last `take`: {method, path, authorization, body}. */
  requests = [];
  /** Developers by API key. */
  developers = new Map();
  /** `jti`s that were revoked there. */
  revoked = new Set();
  /** Handles every request, or those whose path it names: {path: handler}. */
  misbehave = undefined;

  async start(issuer) {
    this.issuer = issuer;
    this.jwks = issuer.jwks;
    this.server = createServer((request, response) => this.#serve(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** The requests since last time, as "METHOD path". */
  take() {
    return this.requests.splice(0).map(({ method, path }) => `${method} ${path}`);
  }

  async #serve(request, response) {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, url: path } = request;
    const authorization = request.headers.authorization;
    this.requests.push({ method, path, authorization, body });
    const misbehave = typeof this.misbehave === "function" ? this.misbehave : this.misbehave?.[path];
    if (misbehave) return misbehave(request, response);
    const [status, answer] = this.answer(`${method} ${path}`, authorization, body);
    response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" }).end(JSON.stringify(answer));
  }

  answer(call, authorization, body) {
    if (call === "GET /.well-known/jwks.json") return [200, this.jwks];
    const developer = this.developers.get(authorization?.replace("Bearer ", ""));
    if (!developer) return [401, { message: "Invalid API key", code: "UNAUTHORIZED", requestId: "req_1" }];
    if (call === "GET /v1/me") return [200, developer];
    if (call !== "POST /v1/tokens/verify") return [404, { message: "Not found", code: "NOT_FOUND", requestId: "req_1" }];
    return [200, this.standing(JSON.parse(body).token)];
  }

  standing(token) {
    const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    if (this.revoked.has(claims.jti)) return { valid: false };
    const { agent_did: agt = claims.agt, grant_id: grnt = claims.grnt } = claims["urn:grantex:grant"] ?? {};
    const scopes = claims.scp ?? claims.scope.split(" ");
    return { valid: true, grantId: grnt ?? claims.jti, scopes, principal: claims.sub, agent: agt, expiresAt: new Date(claims.exp * 1000).toISOString() };
  }
}
