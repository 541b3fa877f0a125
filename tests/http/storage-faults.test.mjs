// Proves what the vault asks of its storage, no more than the design allows (one bulk read for an
// exchange, no read for a refusal, no read per listed record), and what it does when storage says slow
// down or is down: 503 with Retry-After, nothing half-written, and all is well again afterwards.

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Developer, assertStatus, serveVault, unique } from "./harness.mjs";

const vault = await serveVault({ kv: "stub" });
const developer = await vault.newDeveloper();
const principal = unique("user");
const credential = { principalId: principal, service: "github", accessToken: unique("gho_first") };
const { id } = assertStatus(await developer.store(credential), 201).body;
const grantFor = (scopes, fields) => developer.grant({ principal, scopes, ...fields });
const grant = await grantFor(["github:read"]);

/** The operations of storage that `act` takes, and its answer. */
async function costOf(act) {
  await vault.worker.stub();
  const answer = await act();
  return [(await vault.worker.stub()).map(([operation]) => operation), answer];
}

test("a cursor that KV doesn't know is the caller's fault", async () => {
  const records = (query) => vault.send("GET", `/v1/admin/records?${query}`, { bearer: vault.adminKey });
  assert.match(assertStatus(await records("cursor=nowhere"), 400).body.message, /^cursor must be one/);
  await vault.worker.stub({ list: "KV GET failed: 400 Bad Request" });
  assertStatus(await records("limit=1"), 503);
});

describe("the cost of", () => {
  const costs = {
    "an exchange": [() => vault.exchange(grant, "github"), 200, ["bulk"]],
    "an exchange of a delegated grant": [
      async () => vault.exchange(await grantFor(["*"], { parentGrantId: "grnt_0" }), "github"),
      200,
      ["bulk"],
    ],
    "an exchange without a credential": [async () => vault.exchange(await grantFor(["*"]), "gitlab"), 404, ["bulk"]],
    "an exchange out of scope": [async () => vault.exchange(await grantFor(["slack:read"]), "github"), 403, []],
    "an exchange with a bad token": [() => vault.exchange(`${grant}x`, "github"), 401, []],
    "an exchange with an API key": [() => vault.exchange(developer.apiKey, "github"), 401, []],
    "a malformed API key": [() => vault.send("GET", "/v1/me", { bearer: "x" }), 401, []],
    "an unknown API key": [() => vault.send("GET", "/v1/me", { bearer: `gx_live_${"A".repeat(43)}` }), 401, ["get"]],
    "a store": [() => developer.store(credential), 201, ["get", "put"]],
    "a bad store": [() => developer.store({ ...credential, service: "" }), 400, []],
    "a get": [() => developer.get(id), 200, ["get"]],
    "a get of no id": [() => developer.get("x"), 404, []],
    "a list": [() => developer.list(), 200, ["list"]],
    "a revocation": [() => developer.revokeToken("jti_0"), 204, ["put"]],
    "/health": [() => vault.send("GET", "/health"), 200, []],
    "a path of nothing": [() => developer.send("GET", "/v1/nothing"), 404, []],
  };
  for (const [name, [act, status, operations]] of Object.entries(costs)) {
    test(`${name}: ${operations.join(", ") || "nothing"}`, async () => {
      const [taken, answer] = await costOf(act);
      assertStatus(answer, status);
      assert.deepEqual(taken, operations);
    });
  }

  test("an API key: one get, and none for a while after", async () => {
    const stranger = await vault.newDeveloper();
    for (const operations of [["get"], [], []]) {
      const [taken, answer] = await costOf(() => stranger.send("GET", "/v1/me"));
      assertStatus(answer, 200);
      assert.deepEqual(taken, operations);
    }
  });

  test("a list of 1,205: two lists, and three bulk reads for the 205 whose metadata is large", async () => {
    const lister = await vault.newDeveloper();
    const stores = Array.from({ length: 1_205 }, (_, i) => ({
      principalId: `user-${i}`,
      service: "github",
      accessToken: "gho",
      metadata: i < 205 ? { note: "x".repeat(1_000) } : { i },
    }));
    for (let at = 0; at < stores.length; at += 32) {
      const answers = await Promise.all(stores.slice(at, at + 32).map((store) => lister.store(store)));
      for (const answer of answers) assertStatus(answer, 201);
    }
    const [taken, all] = await costOf(() => lister.list());
    assert.deepEqual(taken, ["list", "list", "bulk", "bulk", "bulk"]);
    assert.equal(all.body.credentials.length, 1_205);
    assert.equal(all.body.nextCursor, undefined);

    const first = (await lister.list({ limit: 1_000 })).body;
    const rest = (await lister.list({ limit: 1_000, cursor: first.nextCursor })).body;
    assert.equal(rest.nextCursor, undefined);
    assert.deepEqual([...first.credentials, ...rest.credentials], all.body.credentials, "two pages are the whole, newest first");

    const [one, mine] = await costOf(() => lister.list({ principalId: "user-7" }));
    assert.deepEqual(one, ["list", "bulk"], "of one principal: only theirs");
    assert.deepEqual(
      mine.body.credentials.map(({ principalId }) => principalId),
      ["user-7"],
    );

    const [many] = await costOf(() => vault.admin("DELETE", `/${lister.developerId}`));
    assert.ok(many.length < 1_000, `a removal takes less than 1,000 operations: ${many.length}`);
    assertStatus(await lister.list(), 401, "the key stopped with the first request");
    assertStatus(await vault.admin("DELETE", `/${lister.developerId}`), 204, "the second removes the rest");
    assertStatus(await vault.admin("DELETE", `/${lister.developerId}`), 404);
  });
});

describe("when storage", () => {
  const FAULTS = {
    "says slow down": "KV PUT failed: 429 Too Many Requests",
    "is down": "KV GET failed: 500 Internal Server Error",
  };
  /** What fails with which operation. */
  const acts = {
    get: {
      store: () => developer.store(credential),
      get: () => developer.get(id),
      "an API key that was not used before": async () => (await vault.newDeveloper()).send("GET", "/v1/me"),
    },
    bulk: { exchange: () => vault.exchange(grant, "github"), delete: () => developer.delete(id) },
    put: {
      store: () => developer.store({ ...credential, accessToken: unique("gho_never"), metadata: { never: true } }),
      "store of another": () => developer.store({ ...credential, service: "gitlab" }),
      "sign-up": () => vault.send("POST", "/v1/signup", { json: { name: unique("Developer") } }),
      "a new key": () => developer.send("POST", "/v1/keys/rotate"),
      "a revoked token": () => developer.revokeToken("jti_1"),
      "a revoked grant": () => developer.revokeGrant("grnt_1"),
    },
    delete: {
      delete: () => developer.delete(id),
      "a new key": () => developer.send("POST", "/v1/keys/rotate"),
      removal: () => vault.admin("DELETE", `/${developer.developerId}`),
    },
    list: {
      list: () => developer.list(),
      developers: () => vault.admin("GET", ""),
      removal: () => vault.admin("DELETE", `/${developer.developerId}`),
    },
  };
  let whole;
  beforeEach(async () => {
    await vault.worker.stub();
    const exchanged = assertStatus(await vault.exchange(grant, "github"), 200).body;
    whole = { listed: (await developer.list()).body, exchanged, me: (await developer.send("GET", "/v1/me")).body };
  });

  for (const [fault, message] of Object.entries(FAULTS)) {
    for (const [operation, byName] of Object.entries(acts)) {
      for (const [name, act] of Object.entries(byName)) {
        test(`${fault} (${operation}), ${name} answers 503 and leaves all as it was`, async () => {
          await vault.worker.stub({ [operation]: message });
          const answer = assertStatus(await act(), 503);
          assert.ok(!/kv|429|500/i.test(answer.text.replace(answer.body.requestId, "")), `nothing of the inside: ${answer.text}`);
          assert.equal((await vault.worker.logLineOf(answer.body.requestId)).level, "error");
          await vault.worker.stub();

          assert.deepEqual((await developer.send("GET", "/v1/me")).body, whole.me, "the key still works");
          assert.deepEqual((await developer.list()).body, whole.listed);
          assert.deepEqual(assertStatus(await vault.exchange(grant, "github"), 200).body, whole.exchanged);
        });
      }
    }
  }

  test("fails in the middle of a removal, the next request completes it", async () => {
    const gone = await vault.newDeveloper();
    const principalId = unique("user");
    assertStatus(await gone.store({ ...credential, principalId }), 201);
    await vault.worker.stub({ list: FAULTS["is down"] });
    assertStatus(await vault.admin("DELETE", `/${gone.developerId}`), 503);
    await vault.worker.stub();
    assertStatus(await vault.admin("DELETE", `/${gone.developerId}`), 204);
    const again = await vault.admin("POST", "", { json: { developerId: gone.developerId, name: unique("Developer") } });
    assert.deepEqual((await new Developer(vault, assertStatus(again, 201).body).list()).body, { credentials: [] });
  });
});
