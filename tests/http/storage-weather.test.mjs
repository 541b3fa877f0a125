// Proves what becomes of requests while storage hangs, lags, or loses its connection in the middle of a
// list or right after a write: an answer within a bound, nothing that was acknowledged lost, nothing
// half-written, nothing made up. What it costs to be refused is in storage-faults.test.mjs.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { assertStatus, serveVault, unique } from "./harness.mjs";

/** How long an operation may take, and what the machine may add, in milliseconds. */
const PATIENCE = 10_000;
const BOUND = PATIENCE + 10_000;
const LOST = "Network connection lost.";

const vault = await serveVault({ kv: "stub" });
const developer = await vault.newDeveloper();
const principalId = unique("user");
const credential = (more = {}) => ({ principalId, service: "github", accessToken: unique("gho"), ...more });
const first = credential();
const { id } = assertStatus(await developer.store(first), 201).body;
const grant = await developer.grant({ principal: principalId, scopes: ["*"] });
afterEach(() => vault.worker.stub());

describe("an operation that hangs ends in a 503 after 10 s", () => {
  const acts = {
    get: () => developer.get(id),
    bulk: () => vault.exchange(grant, "github"),
    put: () => developer.store(credential({ service: "gitlab" })),
    delete: () => developer.delete(id),
    list: () => developer.list(),
  };
  test(Object.keys(acts).join(", "), async () => {
    const hang = { hang: true, message: LOST };
    await vault.worker.stub(Object.fromEntries(Object.keys(acts).filter((name) => name !== "get").map((name) => [name, hang])));
    const begin = Date.now();
    const { get, ...others } = acts;
    const answers = await Promise.all(Object.values(others).map((act) => act()));
    await vault.worker.stub({ get: hang });
    answers.push(await get());
    assert.ok(Date.now() - begin < 2 * BOUND, "within a bound");
    for (const answer of answers) {
      assertStatus(answer, 503);
      const line = await vault.worker.logLineOf(answer.body.requestId);
      assert.match(line.reason, /no answer within 10000 ms/);
    }
    await vault.worker.stub();
    assertStatus(await developer.get(id), 200);
    assert.equal(assertStatus(await vault.exchange(grant, "github"), 200).body.accessToken, first.accessToken);
  });
});

test("a connection lost in the middle of a list: 503 and no part of the list", async () => {
  const lister = await vault.newDeveloper();
  for (let at = 0; at < 1_010; at += 101) {
    const stores = Array.from({ length: 101 }, (_, i) => lister.store({ principalId: `user-${at + i}`, service: "github", accessToken: "gho" }));
    for (const answer of await Promise.all(stores)) assertStatus(answer, 201);
  }
  await vault.worker.stub({ list: { message: LOST, after: 1 } });
  const answer = assertStatus(await lister.list(), 503);
  assert.equal(answer.body.credentials, undefined);
  assert.deepEqual((await vault.worker.stub()).map(([operation]) => operation), ["list", "list"], "the second page was lost");
  assert.equal(assertStatus(await lister.list(), 200).body.credentials.length, 1_010);
});

test("a connection lost right after a write: the caller may store again, and gets what they stored", async () => {
  const again = credential();
  await vault.worker.stub({ put: { message: LOST, done: true } });
  assertStatus(await developer.store(again), 503);
  await vault.worker.stub();
  const exchanged = assertStatus(await vault.exchange(grant, "github"), 200).body;
  assert.ok([first.accessToken, again.accessToken].includes(exchanged.accessToken), "one of the two, whole");
  assert.equal(assertStatus(await developer.store(again), 201).body.id, id, "the same record");
  assert.equal(assertStatus(await vault.exchange(grant, "github"), 200).body.accessToken, again.accessToken);
  first.accessToken = again.accessToken;
});

describe("while readers lag", () => {
  test("a credential stored anew is the old one or the new one, never half of each", async () => {
    await vault.worker.stub({ lag: true });
    const newer = credential({ metadata: { note: unique("note") } });
    assertStatus(await developer.store(newer), 201);
    const during = assertStatus(await vault.exchange(grant, "github"), 200).body;
    assert.deepEqual([during.accessToken, during.metadata], [first.accessToken, {}]);
    await vault.worker.stub();
    const after = assertStatus(await vault.exchange(grant, "github"), 200).body;
    assert.deepEqual([after.accessToken, after.metadata], [newer.accessToken, newer.metadata]);
  });

  test("a first store twice makes one record", async () => {
    await vault.worker.stub({ lag: true });
    const stores = [credential({ service: "slack" }), credential({ service: "Slack" })];
    const ids = [];
    for (const store of stores) ids.push(assertStatus(await developer.store(store), 201).body.id);
    assert.equal(ids[0], ids[1]);
    await vault.worker.stub();
    const { credentials } = assertStatus(await developer.list({ principalId }), 200).body;
    assert.deepEqual(credentials.filter((one) => one.id === ids[0]).map(({ service }) => service), ["Slack"]);
  });

  test("a deleted credential is gone when they have caught up", async () => {
    await vault.worker.stub({ lag: true });
    assertStatus(await developer.delete(id), 204);
    assertStatus(await developer.get(id), 200, "the reader lags");
    await vault.worker.stub();
    assertStatus(await developer.get(id), 404);
    assertStatus(await vault.exchange(grant, "github"), 404);
  });

  test("a revoked grant opens nothing when they have caught up", async () => {
    assertStatus(await developer.store(credential()), 201);
    const revoked = await developer.grant({ principal: principalId, scopes: ["*"], grantId: "grnt_lag" });
    assertStatus(await vault.exchange(revoked, "github"), 200);
    await vault.worker.stub({ lag: true });
    assertStatus(await developer.revokeGrant("grnt_lag"), 204);
    await vault.worker.stub();
    assertStatus(await vault.exchange(revoked, "github"), 401);
  });
});
