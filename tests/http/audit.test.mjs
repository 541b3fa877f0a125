// Proves that the Worker logs an event for what is done and refused, once and on one line, with who and
// about what, and with hashes for principals and tokens. That no secret is in it, the harness checks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TIMESTAMP, assertStatus, serveVault, unique } from "./harness.mjs";

const vault = await serveVault();
const developer = await vault.newDeveloper();
const principal = unique("user");
const eventOf = (answer) => vault.worker.logLineOf(answer.headers["x-request-id"]);

test("a store, an exchange, a refusal and a deletion are events about one credential", async () => {
  const stored = assertStatus(await developer.store({ principalId: principal, service: "github", accessToken: unique("gho") }), 201);
  const { time, principalHash, ...store } = await eventOf(stored);
  assert.match(time, TIMESTAMP);
  assert.match(principalHash, /^[\w-]{22}$/);
  assert.deepEqual(store, {
    level: "info",
    requestId: stored.headers["x-request-id"],
    event: "credential.stored",
    outcome: "done",
    status: 201,
    call: "POST /v1/vault/credentials",
    actor: "developer",
    developer: developer.developerId,
    credential: stored.body.id,
  });

  const grant = await developer.grant({ principal, scopes: ["slack:read", "github:read"], grantId: "grnt_1", jti: "a token's id" });
  const exchanged = await eventOf(assertStatus(await vault.exchange(grant, "github"), 200));
  const { tokenHash } = exchanged;
  assert.match(tokenHash, /^[\w-]{22}$/);
  const about = {
    actor: "agent",
    agent: "did:grantex:agent-1",
    developer: developer.developerId,
    grant: "grnt_1",
    credential: stored.body.id,
    principalHash,
    tokenHash,
  };
  const told = ({ event, rule, reason, actor, agent, developer, grant, credential, principalHash, tokenHash }) =>
    JSON.parse(JSON.stringify({ event, rule, reason, actor, agent, developer, grant, credential, principalHash, tokenHash }));
  assert.deepEqual(told(exchanged), { event: "credential.exchanged", rule: "github:read", ...about });
  assert.equal((await eventOf(assertStatus(await developer.revokeToken("a token's id"), 204))).tokenHash, tokenHash);
  const refused = await eventOf(assertStatus(await vault.exchange(grant, "github"), 401));
  assert.deepEqual(told(refused), { event: "exchange.refused", reason: "revoked", ...about });

  assert.equal((await eventOf(assertStatus(await developer.delete(stored.body.id), 204))).event, "credential.deleted");
});

test("a request has one line at most, and a read that goes well none", async () => {
  const quiet = [await developer.list(), await developer.send("GET", "/v1/me"), await vault.send("GET", "/health")];
  const last = await developer.send("GET", "/v1/nothing");
  await eventOf(last);
  for (const answer of quiet) {
    assertStatus(answer, 200);
    assert.ok(!vault.worker.logLines().some(({ requestId }) => requestId === answer.headers["x-request-id"]));
  }
  const ids = vault.worker.logLines().map(({ requestId }) => requestId);
  assert.equal(new Set(ids).size, ids.length);
});

test("what has line feeds in it stays on its line", async () => {
  const agent = "an agent\nof two lines";
  const token = await developer.grant({ principal, scopes: ["*"] }, { spelling: "legacy", claims: { agt: agent } });
  const refused = await vault.exchange(token, "nothing");
  assert.equal((await eventOf(assertStatus(refused, 404))).agent, agent);
  const message = vault.worker.messages.find((text) => text.includes(refused.headers["x-request-id"]));
  assert.ok(!message.includes("\n"), message);
});
