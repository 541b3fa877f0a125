// Proves the developer's side of the vault: store (an upsert), list, get and delete, the exact form of
// each answer, and that one developer never sees, changes or can even tell of another's credentials.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CREDENTIAL_ID, TIMESTAMP, assertStatus, poll, serveVault, unique, withoutRequestId } from "./harness.mjs";

const vault = await serveVault();
const developer = await vault.newDeveloper();

const credential = (fields = {}) => ({
  principalId: unique("user"),
  service: "github",
  accessToken: unique("gho_access"),
  ...fields,
});

/** Stores, and returns what get then shows. */
async function stored(fields, by = developer) {
  const { body } = assertStatus(await by.store(credential(fields)), 201);
  return assertStatus(await by.get(body.id), 200).body;
}

const tick = (after) => poll("the next millisecond", () => Date.now() > after + 1, { interval: 1 });

describe("store", () => {
  test("answers 201 with five fields, never a token", async () => {
    const sent = credential({ refreshToken: unique("ghr_refresh") });
    const answer = assertStatus(await developer.store(sent), 201);
    const { id, createdAt } = answer.body;
    assert.match(id, CREDENTIAL_ID);
    assert.match(createdAt, TIMESTAMP);
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 10_000, `createdAt is now: ${createdAt}`);
    assert.deepEqual(answer.body, {
      id,
      principalId: sent.principalId,
      service: "github",
      credentialType: "oauth2",
      createdAt,
    });
  });

  test("get and list show what was stored, without tokens", async () => {
    const sent = credential({
      service: "slack",
      refreshToken: unique("ghr_refresh"),
      credentialType: "api_key",
      tokenExpiresAt: "2026-04-10T00:00:00Z",
      metadata: { scope: "repo,user" },
    });
    const { id, createdAt } = assertStatus(await developer.store(sent), 201).body;
    const shown = {
      id,
      principalId: sent.principalId,
      service: "slack",
      credentialType: "api_key",
      tokenExpiresAt: "2026-04-10T00:00:00.000Z",
      metadata: { scope: "repo,user" },
      createdAt,
      updatedAt: createdAt,
    };
    assert.deepEqual((await developer.get(id)).body, shown);
    const list = await developer.list({ principalId: sent.principalId });
    assert.deepEqual(list.body, { credentials: [shown] });
    for (const { text } of [list, await developer.get(id)]) {
      assert.ok(!text.includes(sent.accessToken) && !text.includes(sent.refreshToken), "no token is shown");
    }
  });

  test("fills in oauth2, {} and null", async () => {
    const { credentialType, metadata, tokenExpiresAt } = await stored();
    assert.deepEqual(
      { credentialType, metadata, tokenExpiresAt },
      { credentialType: "oauth2", metadata: {}, tokenExpiresAt: null },
    );
  });

  test("takes null for an optional field as omitted", async () => {
    const shown = await stored({ credentialType: null, refreshToken: null, tokenExpiresAt: null, metadata: null });
    assert.equal(shown.credentialType, "oauth2");
    assert.equal(shown.tokenExpiresAt, null);
    assert.deepEqual(shown.metadata, {});
  });

  const instants = [
    ["2026-04-10T00:00:00Z", "2026-04-10T00:00:00.000Z"],
    ["2026-04-10T02:00:00+02:00", "2026-04-10T00:00:00.000Z"],
    ["2026-04-09T18:30:00-05:30", "2026-04-10T00:00:00.000Z"],
    ["2026-04-10T00:00:00.5Z", "2026-04-10T00:00:00.500Z"],
    ["2026-04-10T00:00:00.123456789Z", "2026-04-10T00:00:00.123Z"],
    ["2026-04-10t00:00:00z", "2026-04-10T00:00:00.000Z"],
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ];
  for (const [sent, shown] of instants) {
    test(`shows the expiry ${sent} as ${shown}`, async () => {
      assert.equal((await stored({ tokenExpiresAt: sent })).tokenExpiresAt, shown);
    });
  }
});

describe("a second store of one principal and service", () => {
  test("keeps id and createdAt, replaces the rest, clears what it omits, moves updatedAt", async () => {
    const first = credential({
      credentialType: "api_key",
      refreshToken: unique("ghr_refresh"),
      tokenExpiresAt: "2026-04-10T00:00:00Z",
      metadata: { a: 1 },
    });
    const before = assertStatus(await developer.store(first), 201).body;
    await tick(Date.parse(before.createdAt));
    const second = { principalId: first.principalId, service: first.service, accessToken: unique("gho_second") };
    const again = assertStatus(await developer.store(second), 201).body;
    assert.deepEqual(again, { ...before, credentialType: "oauth2" });

    const shown = (await developer.get(before.id)).body;
    assert.equal(shown.createdAt, before.createdAt);
    assert.ok(shown.updatedAt > before.createdAt, `${shown.updatedAt} is after ${before.createdAt}`);
    assert.equal(shown.tokenExpiresAt, null);
    assert.deepEqual(shown.metadata, {});

    const grant = await developer.grant({ principal: first.principalId, scopes: ["github:read"] });
    assert.equal((await vault.exchange(grant, "github")).body.accessToken, second.accessToken);
  });

  test("ignores the case of the service, and shows the spelling last stored", async () => {
    const principalId = unique("user");
    const first = await stored({ principalId, service: "GitHub" });
    assert.equal(first.service, "GitHub");
    const second = await stored({ principalId, service: "github" });
    assert.equal(second.id, first.id);
    assert.equal(second.service, "github");
    assert.equal((await developer.list({ principalId })).body.credentials.length, 1);
  });

  test("does not ignore the case of the principal, or spaces in it", async () => {
    const principalId = unique("user");
    const ids = new Set();
    for (const spelling of [principalId, principalId.toUpperCase(), ` ${principalId}`, `${principalId} `]) {
      ids.add((await stored({ principalId: spelling })).id);
    }
    assert.equal(ids.size, 4);
  });

  test("at the same time makes one record", async () => {
    const principalId = unique("user");
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => developer.store(credential({ principalId, service: i % 2 ? "slack" : "Slack" }))),
    );
    for (const answer of answers) assert.ok([201, 503].includes(answer.status), answer.text);
    const ids = new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.id));
    assert.equal(ids.size, 1, "ten racing stores give one id");
    const { credentials } = (await developer.list({ principalId })).body;
    assert.deepEqual(
      credentials.map(({ id }) => id),
      [...ids],
    );
  });
});

describe("what is stored comes back exactly", () => {
  // As JSON text, since JavaScript would round the numbers.
  const texts = [
    "{}",
    '{"a":{"b":[1,[2,{"c":null}],true,false]}}',
    '{"snow":"☃","emoji":"👩‍🚀","nul":"\\u0000","quote":"\\"\\\\/\\n\\t"}',
    '{"two53":9007199254740993,"i64":-9223372036854775808,"u64":18446744073709551615,"more":123456789012345678901234567890}',
    '{"half":0.50,"tiny":5e-324,"huge":1.7976931348623157e308,"negative":-1.25}',
    '{"":"empty key","__proto__":{"x":1},"constructor":2,"Ünïcödé":3}',
    '{"z":1,"a":2,"m":3}',
  ];
  for (const text of texts) {
    test(`metadata ${text}`, async () => {
      const principalId = unique("user");
      const json = JSON.stringify(credential({ principalId })).replace(/}$/, `,"metadata":${text}}`);
      const headers = { "Content-Type": "application/json" };
      const sent = await developer.send("POST", "/v1/vault/credentials", { body: json, headers });
      const { id } = assertStatus(sent, 201).body;
      const answer = await developer.get(id);
      assert.deepEqual(answer.body.metadata, JSON.parse(text));
      assert.ok(answer.text.includes(`"metadata":${text}`), `as it was written: ${answer.text}`);
    });
  }

  const tokens = ["a", "with spaces and\nlines\t", 'quotes "\\" \u0000 nul', "☃ 👩‍🚀 ünïcödé", "<script>&amp;"];
  for (const accessToken of tokens) {
    test(`access token ${JSON.stringify(accessToken)}`, async () => {
      const { principalId } = await stored({ accessToken });
      const grant = await developer.grant({ principal: principalId, scopes: ["*"] });
      assert.equal((await vault.exchange(grant, "github")).body.accessToken, accessToken);
    });
  }

  const principals = ["with space", "a+b&c=d", "50%25", "☃ 👩‍🚀", "a/b?c#d", "user:abc:def", '"quoted"'];
  for (const name of principals) {
    test(`principal ${name}, also as a filter`, async () => {
      const { id, principalId } = await stored({ principalId: `${name} ${unique("user")}` });
      const { credentials } = (await developer.list({ principalId })).body;
      assert.deepEqual(
        credentials.map((shown) => [shown.id, shown.principalId]),
        [[id, principalId]],
      );
    });
  }
});

describe("list", () => {
  let lister, principals, all;
  before(async () => {
    lister = await vault.newDeveloper();
    principals = [unique("user"), unique("user"), unique("user")];
    all = [];
    for (const principalId of principals) {
      for (const service of ["github", "Slack", "jira.example"]) {
        const shown = await stored({ principalId, service, metadata: { n: all.length } }, lister);
        all.unshift(shown);
        await tick(Date.parse(shown.createdAt));
      }
    }
  });

  const listed = async (query) => assertStatus(await lister.list(query), 200).body.credentials;
  const wanted = (keep) => all.filter(keep);

  test("is newest first, with every field", async () => {
    assert.deepEqual((await lister.list()).body, { credentials: all });
  });

  test("keeps its order when an old credential is stored again", async () => {
    const oldest = all.at(-1);
    await lister.store({ principalId: oldest.principalId, service: oldest.service, accessToken: unique("gho_again") });
    all[all.length - 1] = (await lister.get(oldest.id)).body;
    assert.deepEqual(await listed(), all);
  });

  test("filters by principal, by service without its case, and by both", async () => {
    const [principalId] = principals;
    assert.deepEqual(
      await listed({ principalId }),
      wanted((c) => c.principalId === principalId),
    );
    assert.deepEqual(
      await listed({ service: "SLACK" }),
      wanted((c) => c.service === "Slack"),
    );
    assert.deepEqual(
      await listed({ principalId, service: "jira.EXAMPLE" }),
      wanted((c) => c.principalId === principalId && c.service === "jira.example"),
    );
    assert.deepEqual(await listed({ principalId: unique("nobody") }), []);
    assert.deepEqual(await listed({ service: "gitlab" }), []);
    assert.deepEqual(await listed({ principalId: principalId.slice(0, -1) }), [], "a prefix is no match");
  });

  test("ignores unknown parameters", async () => {
    assert.deepEqual(await listed({ color: "red", offset: "3" }), all);
  });

  for (const limit of [1, 2, 4, 8, 9, 1000]) {
    for (const filter of [{}, { service: "slack" }]) {
      test(`pages of ${limit} ${JSON.stringify(filter)} give each credential once, newest first in a page`, async () => {
        const pages = [];
        let cursor;
        do {
          const { body } = assertStatus(await lister.list({ ...filter, limit, ...(cursor && { cursor }) }), 200);
          assert.ok(body.credentials.length <= limit);
          assert.deepEqual(
            body.credentials,
            body.credentials.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)),
          );
          pages.push(body.credentials);
          cursor = body.nextCursor;
          assert.ok(pages.length <= all.length + 1, "the pages come to an end");
        } while (cursor);
        const expected = wanted((c) => !filter.service || c.service.toLowerCase() === filter.service);
        const byId = (a, b) => a.id.localeCompare(b.id);
        assert.deepEqual(pages.flat().toSorted(byId), expected.toSorted(byId));
      });
    }
  }

  test("a developer without credentials has an empty list", async () => {
    assert.deepEqual((await (await vault.newDeveloper()).list()).body, { credentials: [] });
  });
});

describe("delete", () => {
  test("answers 204, then everything answers as if it had never been", async () => {
    const { id, principalId, createdAt } = await stored();
    const grant = await developer.grant({ principal: principalId, scopes: ["github:read"] });
    assertStatus(await vault.exchange(grant, "github"), 200);
    assertStatus(await developer.delete(id), 204);
    assertStatus(await developer.get(id), 404);
    assertStatus(await developer.delete(id), 404);
    assertStatus(await vault.exchange(grant, "github"), 404);
    assert.deepEqual((await developer.list({ principalId })).body.credentials, []);

    await tick(Date.parse(createdAt));
    const anew = await stored({ principalId });
    assert.equal(anew.id, id, "the id is that of the principal and service");
    assert.ok(anew.createdAt > createdAt, "but it was created anew");
  });
});

describe("another developer", () => {
  test("is told exactly what is said of an id that never was, and changes nothing", async () => {
    const stranger = await vault.newDeveloper();
    const shown = await stored();
    const unknown = `vault_${"0".repeat(26)}`;
    for (const act of ["get", "delete"]) {
      const theirs = assertStatus(await stranger[act](shown.id), 404);
      const nobodys = assertStatus(await stranger[act](unknown), 404);
      assert.deepEqual(withoutRequestId(theirs), withoutRequestId(nobodys));
      assert.deepEqual(Object.keys(theirs.headers).sort(), Object.keys(nobodys.headers).sort());
    }
    assert.deepEqual((await stranger.list()).body, { credentials: [] });
    assert.deepEqual((await stranger.list({ principalId: shown.principalId })).body, { credentials: [] });
    assert.deepEqual((await developer.get(shown.id)).body, shown, "the credential is as it was");
  });

  test("has a credential of its own for the same principal and service", async () => {
    const stranger = await vault.newDeveloper();
    const mine = await stored();
    const theirs = await stored({ principalId: mine.principalId }, stranger);
    assert.notEqual(theirs.id, mine.id);
    assertStatus(await stranger.delete(theirs.id), 204);
    assert.deepEqual((await developer.get(mine.id)).body, mine);
  });
});

test("HEAD answers as GET does, without the body", async () => {
  const { id } = await stored();
  for (const path of [`/v1/vault/credentials/${id}`, "/v1/vault/credentials", "/v1/me", "/health"]) {
    const get = await developer.send("GET", path);
    const head = assertStatus(await developer.send("HEAD", path), 200);
    assert.equal(head.headers["content-type"], get.headers["content-type"]);
  }
  assertStatus(await developer.send("HEAD", `/v1/vault/credentials/vault_${"0".repeat(26)}`), 404);
});
