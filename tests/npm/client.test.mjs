// VaultClient against servers that misbehave on demand: what is sent, what is tried again and how often,
// and what never leaves in an error.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { installed } from "./support/package.mjs";

const { MemoryKV, Vault, VaultClient, VaultError, issuer, jwks, signGrant } = await installed();
const API_KEY = "gx_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
const ID = `vault_${"0".repeat(26)}`;
const github = { principalId: "user_1", service: "github", accessToken: "gho_verysecret" };

/** A server that gives the answers in turn, the last for ever, and keeps the requests. */
async function serve(...answers) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ method, url, headers, body, at: performance.now() });
    if (answer === "hang") return;
    if (answer === "reset") return request.socket.destroy();
    const { status = 200, json, text = json === undefined ? "" : JSON.stringify(json), headers: sent = {} } = answer;
    response.writeHead(status, sent).end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, baseUrl: `http://127.0.0.1:${server.address().port}` };
}

const clientOf = ({ baseUrl }, options = {}) => new VaultClient({ baseUrl, apiKey: API_KEY, ...options });
const soon = { "Retry-After": "0" };
const unavailable = { status: 503, json: { message: "Storage can't take the request now", code: "SERVICE_UNAVAILABLE", requestId: "req_1" }, headers: soon };

async function failure(promise, code, status) {
  const error = await promise.then(() => assert.fail("it went well"), (thrown) => thrown);
  assert.ok(error instanceof VaultError, String(error));
  assert.deepEqual([error.code, error.status], [code, status], error.message);
  const told = `${error.stack} ${JSON.stringify(error)} ${error.cause} ${error.cause?.stack} ${JSON.stringify(error.cause)}`;
  assert.ok(!told.includes(API_KEY) && !told.includes("gho_verysecret") && !told.includes("grant.token"), told);
  return error;
}

test("each call is the contract's request", async () => {
  const server = await serve({ json: {} });
  const client = clientOf({ baseUrl: new URL(`${server.baseUrl}/prefix/`) });
  await client.store({ ...github, tokenExpiresAt: new Date(0), metadata: { a: 1 }, refreshToken: null, extra: 5 });
  await client.list({ principalId: "a b&c", service: "github", limit: 5, cursor: "x" });
  await client.list();
  await client.get(ID);
  await client.delete("a/b?c");
  await client.exchange("grant.token", { service: "github" });
  await client.exchange("grant.token", { service: "github", delivery: "reference" });
  await client.resolveReference("vref_1");
  await client.tokens.revoke("jti_1");
  await client.grants.revoke("a/b ü");
  const sent = server.requests.map(({ method, url, body, headers }) => [method, url, body && JSON.parse(body), headers["content-type"], headers.authorization]);
  const [key, grant, json] = [`Bearer ${API_KEY}`, "Bearer grant.token", "application/json"];
  assert.deepEqual(sent, [
    ["POST", "/prefix/v1/vault/credentials", { ...github, tokenExpiresAt: "1970-01-01T00:00:00.000Z", metadata: { a: 1 } }, json, key],
    ["GET", "/prefix/v1/vault/credentials?principalId=a+b%26c&service=github&limit=5&cursor=x", "", undefined, key],
    ["GET", "/prefix/v1/vault/credentials", "", undefined, key],
    ["GET", `/prefix/v1/vault/credentials/${ID}`, "", undefined, key],
    ["DELETE", "/prefix/v1/vault/credentials/a%2Fb%3Fc", "", undefined, key],
    ["POST", "/prefix/v1/vault/credentials/exchange", { service: "github" }, json, grant],
    ["POST", "/prefix/v1/vault/credentials/exchange", { service: "github", delivery: "reference" }, json, grant],
    ["POST", "/prefix/v1/vault/references/resolve", { credentialRef: "vref_1" }, json, key],
    ["POST", "/prefix/v1/tokens/revoke", { jti: "jti_1" }, json, key],
    ["DELETE", "/prefix/v1/grants/a%2Fb%20%C3%BC", "", undefined, key],
  ]);
});

test("429, 502, 503, 504 and a lost connection are tried again", async () => {
  const server = await serve({ status: 429, headers: soon }, { status: 502, text: "<html>", headers: soon }, unavailable, { json: { id: ID } });
  assert.equal((await clientOf(server).get(ID)).id, ID);
  assert.equal(server.requests.length, 4);
  const broken = await serve("reset", { status: 504, headers: soon }, { json: { accessToken: "gho_1" } });
  assert.equal((await clientOf(broken).exchange("grant.token", { service: "github" })).accessToken, "gho_1");
  assert.equal(broken.requests.length, 3);
  assert.deepEqual(new Set(broken.requests.map(({ body }) => body)), new Set(['{"service":"github"}']));
});

test("never for ever", async () => {
  const server = await serve(unavailable);
  const error = await failure(clientOf(server).store(github), "SERVICE_UNAVAILABLE", 503);
  assert.deepEqual([server.requests.length, error.requestId], [4, "req_1"]);
  await failure(clientOf(server, { maxRetries: 0 }).list(), "SERVICE_UNAVAILABLE", 503);
  assert.equal(server.requests.length, 5);
  const gone = await failure(new VaultClient({ baseUrl: "http://127.0.0.1:1", apiKey: API_KEY, maxRetries: 1 }).list(), "NETWORK_ERROR", 0);
  assert.ok(gone.cause instanceof Error);
});

test("anything else is not tried again", async () => {
  const codes = { 400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "CONFLICT", 413: "PAYLOAD_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE", 500: "INTERNAL_ERROR", 418: "HTTP_418" };
  for (const [status, code] of Object.entries(codes)) {
    for (const text of ["", "<html>Bad</html>", "null", "[]", '{"message":5,"code":{}}']) {
      const server = await serve({ status: Number(status), text, headers: { "X-Request-Id": "req_2" } });
      const error = await failure(clientOf(server).get(ID), code, Number(status));
      assert.deepEqual([server.requests.length, error.requestId], [1, "req_2"]);
    }
  }
  const own = await serve({ status: 402, json: { message: "Pay first", code: "PAYMENT_REQUIRED", requestId: "req_3" } });
  assert.equal((await failure(clientOf(own).get(ID), "PAYMENT_REQUIRED", 402)).message, "Pay first");
});

test("Retry-After is waited for, in seconds or as a date, but not for hours", async () => {
  const waits = async (value) => {
    const server = await serve({ status: 503, headers: { "Retry-After": value } }, { json: {} });
    await clientOf(server).list();
    return server.requests[1].at - server.requests[0].at;
  };
  assert.ok((await waits("1")) >= 990);
  // A date has whole seconds: two ahead is more than one away.
  assert.ok((await waits(new Date(Date.now() + 2_000).toUTCString())) >= 900);
  assert.ok((await waits(new Date(Date.now() - 60_000).toUTCString())) < 400);
  // What can't be read is backed off from as if it weren't there: half a second, half of it random.
  const unreadable = await waits("later");
  assert.ok(unreadable >= 245, String(unreadable));
  const hours = await serve({ status: 429, headers: { "Retry-After": "3600" } });
  await failure(clientOf(hours).list(), "TOO_MANY_REQUESTS", 429);
  assert.equal(hours.requests.length, 1);
});

test("delays double and differ", async (t) => {
  const delays = [];
  const original = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (work, delay, ...rest) => {
    // Random, so hardly ever whole, as everybody else's are.
    const isOurs = !Number.isInteger(delay);
    if (isOurs) delays.push(delay);
    return original(work, isOurs ? 0 : delay, ...rest);
  });
  const fetch = async () => new Response("", { status: 503 });
  await failure(new VaultClient({ baseUrl: "http://vault", apiKey: API_KEY, fetch, maxRetries: 8 }).list(), "SERVICE_UNAVAILABLE", 503);
  const longest = [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000];
  assert.equal(delays.length, longest.length);
  delays.forEach((delay, index) => assert.ok(delay >= longest[index] / 2 && delay <= longest[index], `${delay} of ${longest[index]}`));
  assert.ok(new Set(delays).size > 5);
});

test("a vault that hangs is a TIMEOUT, body included", async () => {
  const server = await serve("hang");
  const error = await failure(clientOf(server, { timeout: 50, maxRetries: 1 }).list(), "TIMEOUT", 0);
  assert.match(error.message, /50 ms/);
  assert.equal(server.requests.length, 2);
  const stuck = async (url, { signal }) => new Response(new ReadableStream({ start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)) }));
  await failure(new VaultClient({ baseUrl: "http://vault", apiKey: API_KEY, fetch: stuck, timeout: 50, maxRetries: 0 }).list(), "TIMEOUT", 0);
});

test("a signal ends a call before it, during it, and while it waits", async () => {
  const server = await serve("hang");
  await failure(clientOf(server).list({}, { signal: AbortSignal.abort() }), "ABORTED", 0);
  assert.equal(server.requests.length, 0);
  const controller = new AbortController();
  const reason = new Error("the user left");
  setTimeout(() => controller.abort(reason), 50);
  assert.equal((await failure(clientOf(server).get(ID, { signal: controller.signal }), "ABORTED", 0)).cause, reason);
  assert.equal(server.requests.length, 1);
  const busy = await serve({ status: 503, headers: { "Retry-After": "30" } });
  await failure(clientOf(busy).delete(ID, { signal: AbortSignal.timeout(100) }), "ABORTED", 0);
  assert.equal(busy.requests.length, 1);
});

test("a deletion whose answer was lost counts as done when it is no more there", async () => {
  const notFound = { status: 404, json: { message: "There is no such credential", code: "NOT_FOUND", requestId: "req_4" } };
  const lost = await serve("reset", notFound);
  assert.equal(await clientOf(lost).delete(ID), undefined);
  await failure(clientOf(await serve(notFound)).delete(ID), "NOT_FOUND", 404);
  const gone = await serve({ status: 204 });
  assert.equal(await clientOf(gone).delete(ID), undefined);
});

test("redirects are not followed, and another's answer is none", async () => {
  const thief = await serve({ json: {} });
  const server = await serve({ status: 302, headers: { Location: `${thief.baseUrl}/` } });
  await failure(clientOf(server).list(), "UNEXPECTED_ANSWER", 302);
  assert.equal(thief.requests.length, 0);
  for (const text of ["", "hello", "null", "5", '"x"']) await failure(clientOf(await serve({ text })).list(), "UNEXPECTED_ANSWER", 200);
});

test("wrong arguments are TypeErrors that name them and send nothing", async () => {
  const good = { baseUrl: "http://vault", apiKey: API_KEY };
  const options = {
    options: [undefined, null, "http://vault"],
    baseUrl: [undefined, 5, "", "vault", "ftp://vault", "https://user:password@vault", "https://vault?x", "https://vault#x"],
    apiKey: [5, "", "with space", "new\nline", "ü"],
    fetch: ["fetch", {}],
    timeout: [0, -1, "5", NaN, Infinity],
    maxRetries: [-1, 11, "3", NaN],
  };
  for (const [name, values] of Object.entries(options)) {
    for (const value of values) {
      const given = name === "options" ? value : { ...good, [name]: value };
      assert.throws(() => new VaultClient(given), (error) => error instanceof TypeError && error.message.startsWith(`${name} `), `${name}: ${value}`);
    }
  }
  let fetches = 0;
  const client = new VaultClient({ ...good, fetch: async () => (fetches++, new Response("{}")) });
  const keyless = new VaultClient({ baseUrl: "http://vault", fetch: async () => (fetches++, new Response("{}")) });
  const calls = [
    ["params", () => client.store()], ["accessToken", () => client.store({ ...github, accessToken: 5 })], ["limit", () => client.list({ limit: "5" })],
    ["credentialId", () => client.get()], ["credentialId", () => client.get("")], ["credentialId", () => client.get("..")], ["credentialId", () => client.delete(".")],
    ["grantToken", () => client.exchange(undefined, { service: "github" })], ["grantToken", () => client.exchange("grant.token\n", { service: "github" })],
    ["service", () => client.exchange("grant.token", {})], ["delivery", () => client.exchange("grant.token", { service: "github", delivery: "pigeon" })], ["credentialRef", () => client.resolveReference(5)], ["tokenId", () => client.tokens.revoke(5)], ["grantId", () => client.grants.revoke("..")], ["grantId", () => client.grants.revoke()],
    ["options", () => client.get(ID, "x")], ["options.signal", () => client.get(ID, { signal: {} })], ["apiKey", () => keyless.get(ID)],
  ];
  for (const [name, call] of calls) {
    const error = await call().catch((thrown) => thrown);
    assert.ok(error instanceof TypeError && error.message.startsWith(`${name} `), `${call}: ${error}`);
    assert.ok(!error.message.includes("grant.token"));
  }
  assert.equal(fetches, 0);
});

test("the client and the vault speak the same contract", async () => {
  const vault = new Vault({ kv: new MemoryKV(), encryptionKey: new Uint8Array(32), grants: { issuer, jwks }, signup: "open", log: () => {} });
  const fetch = (url, init) => vault.fetch(new Request(url, init));
  const signup = await fetch("http://vault/v1/signup", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"name":"Acme"}' });
  const { apiKey, developerId } = await signup.json();
  const client = new VaultClient({ baseUrl: "http://vault", apiKey, fetch });
  const agent = new VaultClient({ baseUrl: "http://vault", fetch });
  const own = vault.developer(developerId);

  const stored = await client.store(github);
  assert.deepEqual(await client.get(stored.id), await own.get(stored.id));
  assert.deepEqual(await client.list({ limit: 5 }), await own.list({ limit: 5 }));
  const token = await signGrant({ developerId, principalId: "user_1", scopes: ["github:*"] });
  assert.deepEqual(await agent.exchange(token, { service: "GITHUB" }), await vault.exchange(token, { service: "GITHUB" }));
  for (const [byHttp, inProcess] of [
    [() => client.get(ID), () => own.get(ID)],
    [() => client.list({ limit: 0 }), () => own.list({ limit: 0 })],
    [() => client.store({ ...github, service: "a b" }), () => own.store({ ...github, service: "a b" })],
    [() => agent.exchange(token, { service: "slack" }), () => vault.exchange(token, { service: "slack" })],
    [() => agent.exchange("x", { service: "slack" }), () => vault.exchange("x", { service: "slack" })],
  ]) {
    const [one, other] = [await byHttp().catch((error) => error), await inProcess().catch((error) => error)];
    assert.deepEqual([one.message, one.code, one.status], [other.message, other.code, other.status]);
  }
  await client.grants.revoke(JSON.parse(atob(token.split(".")[1]))["urn:grantex:grant"].grant_id);
  await failure(agent.exchange(token, { service: "github" }), "UNAUTHORIZED", 401);
  await client.tokens.revoke("jti_1");
  await client.delete(stored.id);
  await failure(client.get(stored.id), "NOT_FOUND", 404);
});
