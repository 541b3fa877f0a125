// Proves that events reach the operator's webhook, signed so that the receiver can tell, and the Queue;
// that a receiver which fails, redirects or hangs costs a caller nothing; and that the log says what got lost.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, afterEach, describe, test } from "node:test";
import { assertStatus, poll, serveVault, unique } from "./harness.mjs";

const key = randomBytes(32);

/** The receiver: `answer` handles what comes, `received` is what came, as {path, headers, text}. */
const received = [];
let answer;
const accept = (_, response) => response.writeHead(204).end();
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const message = { path: request.url, headers: request.headers, text: Buffer.concat(chunks).toString("utf8") };
  received.push(message);
  answer(message, response);
});

const vault = await serveVault({
  queue: true,
  async settings() {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      AUDIT_WEBHOOK_URL: `http://127.0.0.1:${server.address().port}/events?token=sesame-open`,
      AUDIT_WEBHOOK_SECRET: `whsec_${key.toString("base64")}`,
    };
  },
});
vault.secrets.add("the webhook's secret", key.toString("base64"));
vault.secrets.add("the token in the webhook's URL", "sesame-open");
after(() => {
  server.closeAllConnections();
  server.close();
});

/** Fails unless the receiver may believe a message; gives its event. */
function verified({ path, headers, text }) {
  assert.equal(path, "/events?token=sesame-open");
  assert.equal(headers["content-type"], "application/json");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
  assert.equal(headers["webhook-signature"], `v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  assert.match(headers["webhook-timestamp"], /^\d+$/);
  const event = JSON.parse(text);
  assert.equal(headers["webhook-id"], event.requestId);
  return event;
}

const triesOf = (requestId) => received.filter(({ headers }) => headers["webhook-id"] === requestId);
/** Three tries with their pauses, each timed out. */
const PATIENCE = { timeout: 90_000 };
const triesTo = (requestId, count) => poll(`${count} tries`, () => triesOf(requestId).length >= count && triesOf(requestId), PATIENCE);

const undelivered = (requestId) =>
  poll("undelivered", () => vault.worker.logLines().find((line) => line.requestId === requestId && line.undelivered), PATIENCE);

answer = accept;
const developer = await vault.newDeveloper();
const principal = unique("user");
const credential = { principalId: principal, service: "github", accessToken: unique("gho") };

test("webhook and Queue get the event that the log has", async () => {
  const stored = assertStatus(await developer.store(credential), 201);
  const exchanged = assertStatus(await vault.exchange(await developer.grant({ principal, scopes: ["*"] }), "github"), 200);
  const refused = assertStatus(await vault.exchange("no token", "github"), 401);
  for (const [{ headers }, name] of [[stored, "credential.stored"], [exchanged, "credential.exchanged"], [refused, "exchange.refused"]]) {
    const requestId = headers["x-request-id"];
    const logged = await vault.worker.logLineOf(requestId);
    assert.equal(logged.event, name);
    const [message] = await triesTo(requestId, 1);
    assert.deepEqual(verified(message), logged);
    const queued = await poll("a message", async () => (await vault.worker.queued()).find((event) => event.requestId === requestId));
    assert.deepEqual(queued, logged);
  }
  assert.deepEqual(vault.secrets.foundIn(received.map(({ text }) => text).join()), [], "no secret is sent");
});

test("what is no call, and a read that goes well, is not sent", async () => {
  const nothing = assertStatus(await vault.send("GET", "/v1/nothing"), 404);
  const me = assertStatus(await developer.send("GET", "/v1/me"), 200);
  const last = assertStatus(await developer.store(credential), 201);
  await triesTo(last.headers["x-request-id"], 1);
  for (const { headers } of [nothing, me]) assert.equal(triesOf(headers["x-request-id"]).length, 0);
});

describe("a receiver", () => {
  afterEach(() => (answer = accept));

  test("that fails twice gets it a third time, under one id", async () => {
    let failures = 2;
    answer = (message, response) => (failures-- > 0 ? response.writeHead(503).end() : accept(message, response));
    const { headers } = assertStatus(await developer.store(credential), 201);
    const tries = await triesTo(headers["x-request-id"], 3);
    assert.equal(new Set(tries.map((message) => verified(message).requestId)).size, 1);
    const moments = tries.map((message) => Number(message.headers["webhook-timestamp"]));
    assert.ok(moments[0] < moments[2], `each try has its own time: ${moments}`);
  });

  test("that redirects is not followed, and the log says that it got nothing", async () => {
    answer = (_, response) => response.writeHead(307, { Location: "/elsewhere" }).end();
    const { headers } = assertStatus(await developer.store(credential), 201);
    const requestId = headers["x-request-id"];
    assert.deepEqual(await undelivered(requestId), { level: "error", requestId, undelivered: "AUDIT_WEBHOOK_URL", reason: "status 307" });
    assert.equal(triesOf(requestId).length, 3);
    assert.ok(!received.some(({ path }) => path === "/elsewhere"));
  });

  test("that hangs keeps no caller waiting, and is given up", async () => {
    const held = [];
    answer = (_, response) => held.push(response);
    const { headers } = assertStatus(await developer.store(credential), 201);
    const requestId = headers["x-request-id"];
    const line = await undelivered(requestId);
    assert.equal(line.reason, "no answer in time");
    assert.equal(triesOf(requestId).length, 3);
    for (const response of held) response.end();
  });

  test("that is down costs a caller nothing", async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const { headers } = assertStatus(await developer.store(credential), 201);
    const requestId = headers["x-request-id"];
    const line = await undelivered(requestId);
    assert.equal(line.reason, "no connection");
  });
});
