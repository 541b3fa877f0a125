// Proves that no request gets more than it should before its body is even read: methods, paths, queries,
// credentials for the wrong door; in which order these are refused; and that a few hundred random
// requests never make the vault fail. (That every answer carries its headers, `send` checks each time.)

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertStatus, serveVault, unique, withoutRequestId } from "./harness.mjs";

const vault = await serveVault();
const CREDENTIALS = "/v1/vault/credentials";

const developer = await vault.newDeveloper();
const principalId = unique("user");
const stored = await developer.store({ principalId, service: "github", accessToken: unique("gho") });
const { id } = assertStatus(stored, 201).body;
const grant = await developer.grant({ principal: principalId, scopes: ["*"] });

describe("methods", () => {
  const allowed = {
    [CREDENTIALS]: ["GET", "HEAD", "POST"],
    [`${CREDENTIALS}/exchange`]: ["POST"],
    [`${CREDENTIALS}/vault_${"0".repeat(26)}`]: ["GET", "HEAD", "DELETE"],
    "/v1/signup": ["POST"],
    "/v1/keys/rotate": ["POST"],
    "/v1/me": ["GET", "HEAD"],
    "/v1/tokens/revoke": ["POST"],
    "/v1/grants/grnt_1": ["DELETE"],
    "/v1/admin/developers": ["GET", "HEAD", "POST"],
    "/v1/admin/developers/dev_1": ["GET", "HEAD", "DELETE"],
    "/health": ["GET", "HEAD"],
  };
  const all = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "REPORT"];
  for (const [path, methods] of Object.entries(allowed)) {
    for (const method of all.filter((name) => !methods.includes(name))) {
      test(`${method} ${path} is refused, naming ${methods}`, async () => {
        const answer = assertStatus(await vault.send(method, path), 405);
        assert.deepEqual(answer.headers.allow.split(/, */).sort(), [...methods].sort());
      });
    }
  }
});

describe("paths", () => {
  const unknown = [
    "/v1",
    "/v1/",
    "/v1/vault",
    "/v2/vault/credentials",
    "/V1/vault/credentials",
    `/v1/vault/Credentials`,
    `${CREDENTIALS}/`,
    `/v1//vault/credentials`,
    `/v1/vault/credentials//${id}`,
    `${CREDENTIALS}/${id}/`,
    `${CREDENTIALS}/${id}/tokens`,
    `${CREDENTIALS}/exchange/`,
    `${CREDENTIALS}/${id.slice(0, -1)}`,
    `${CREDENTIALS}/${id}0`,
    `${CREDENTIALS}/${id.replace("vault_", "cred_")}`,
    `${CREDENTIALS}/vault_${"U".repeat(26)}`,
    `${CREDENTIALS}/vault_${"0".repeat(26)}`,
    `${CREDENTIALS}/%00`,
    `${CREDENTIALS}/%`,
    `${CREDENTIALS}/%zz`,
    `${CREDENTIALS}/%C3%28`,
    `${CREDENTIALS}/${id}%00`,
    `${CREDENTIALS}/${id}%20`,
    `${CREDENTIALS}/..%2F..%2Fme`,
    `${CREDENTIALS}/%2e%2e%2f${id}`,
    `${CREDENTIALS}/cred:x:${id}`,
    `${CREDENTIALS}/*`,
    `/v1/vault%2Fcredentials`,
    `${CREDENTIALS};x=1`,
    "/v1/me/",
    "/v1/me.json",
    "/v1/keys",
    "/v1/tokens",
    "/v1/grants",
    "/v1/grants/",
    "/v1/grants/a/b",
    "/v1/admin",
    "/health/",
    "/healthz",
    "/%68ealth/x",
    "/nothing",
    "/index.html/x",
    "/.dev.vars",
    "/%2e%2e/wrangler.toml",
    `/${"x".repeat(10_000)}`,
    `${CREDENTIALS}/${"0".repeat(10_000)}`,
  ];
  test("of nothing are 404", async () => {
    for (const path of unknown) assertStatus(await developer.send("GET", path), 404);
  });

  test("of nothing are 404 without an API key too; an id is not looked up without one", async () => {
    assertStatus(await vault.send("GET", "/v1/nothing"), 404);
    for (const path of [id, `vault_${"0".repeat(26)}`]) assertStatus(await vault.send("GET", `${CREDENTIALS}/${path}`), 401);
  });

  test("in other spellings lead to the same credential or nowhere", async () => {
    const spellings = [
      `${CREDENTIALS}/%76${id.slice(1)}`,
      `${CREDENTIALS}/${id.toLowerCase()}`,
      `/v1/x/../vault/credentials/${id}`,
      `${CREDENTIALS}/./${id}`,
      `${CREDENTIALS}/${id}?x#y`,
    ];
    for (const path of spellings) {
      const answer = await developer.send("GET", path);
      if (answer.status === 200) assert.equal(answer.body.id, id);
      else assertStatus(answer, 404);
    }
  });

  test("with a grant id that no token can have are refused, so that nobody thinks it revoked", async () => {
    for (const grantId of ["%C3%28", "%ED%A0%80", "%ff", "x".repeat(513)]) {
      const answer = await developer.send("DELETE", `/v1/grants/${grantId}`);
      assert.ok([400, 404].includes(answer.status), `${grantId.slice(0, 10)}: ${answer.status}`);
    }
  });

  test("with a very long query are answered", async () => {
    assertStatus(await developer.send("GET", `${CREDENTIALS}?x=${"y".repeat(15_000)}`), 200);
  });
});

describe("list queries", () => {
  const refused = [
    ..."0 -1 1001 1.5 1e2 abc 0x10 +5 %20 99999999999999999999 %D9%A1".split(" ").map((limit) => `limit=${limit}`),
    "limit=",
    "limit=1&limit=1",
    "cursor=",
    "cursor=x",
    "cursor=%00",
    "cursor=-",
    `cursor=${"x".repeat(5000)}`,
    "cursor=a&cursor=b",
    "principalId=a&principalId=b",
    "service=github&service=github",
    "limit=5&limit=",
    "principalId=%00",
  ];
  for (const query of refused) {
    test(`${query.slice(0, 40)} is a bad request`, async () => {
      const answer = assertStatus(await developer.send("GET", `${CREDENTIALS}?${query}`), 400);
      assert.match(answer.body.message, new RegExp(`^${/^\w+/.exec(query)[0]}\\b`));
    });
  }

  // Nothing can have such a name: an empty list is as good an answer as a bad request.
  for (const query of [
    "principalId=",
    "service=",
    "service=a%20b",
    "service=*",
    `principalId=${"x".repeat(300)}`,
    "principalId=%C3%28",
    "principalId=%zz",
  ]) {
    test(`${query.slice(0, 40)} finds nothing`, async () => {
      const answer = await developer.send("GET", `${CREDENTIALS}?${query}`);
      if (answer.status !== 400) assert.deepEqual(assertStatus(answer, 200).body, { credentials: [] });
    });
  }

  for (const query of ["limit=1", "limit=1000", "", "&&", "=", "color=red&color=blue", "Limit=0", "%6Cimit=5", "limit=%31"]) {
    test(`${query || "nothing"} is taken`, async () => {
      assert.equal(assertStatus(await developer.send("GET", `${CREDENTIALS}?${query}`), 200).body.credentials.length, 1);
    });
  }

  test("another developer's cursor shows nothing of theirs", async () => {
    await developer.store({ principalId: unique("user"), service: "github", accessToken: unique("gho") });
    const { nextCursor } = (await developer.list({ limit: 1 })).body;
    assert.ok(nextCursor);
    const stranger = await vault.newDeveloper();
    const answer = await stranger.list({ cursor: nextCursor });
    if (answer.status !== 400) assert.deepEqual(assertStatus(answer, 200).body, { credentials: [] });
    await developer.delete((await developer.list({ limit: 1 })).body.credentials[0].id);
  });
});

describe("authorization", () => {
  const withAuthorization = (path, Authorization, body) =>
    vault.send(body ? "POST" : "GET", path, { json: body, headers: Authorization === undefined ? {} : { Authorization } });

  const malformed = (token) => [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    token,
    `Basic ${token}`,
    `Token ${token}`,
    `BearerX ${token}`,
    `Bearer:${token}`,
    `Bearer=${token}`,
    `Bearer\t${token}`,
    `Bearer ${token} x`,
    `Bearer ${token},`,
    `Bearer "${token}"`,
    `Bearer ${token}, Bearer ${token}`,
    [`Bearer ${token}`, `Bearer ${token}`],
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}A`,
    `Bearer x${token}`,
    `Bearer ${token.toUpperCase()}`,
    "Bearer gx_live_",
    "Bearer \xff\xfe",
    `Bearer ${"x".repeat(20_000)}`,
    `Basic ${Buffer.from(`${token}:`).toString("base64")}`,
    "Bearer ..",
    "Bearer null",
    "Bearer undefined",
  ];

  test("of an API key, bent in any way, is refused", async () => {
    for (const value of malformed(developer.apiKey)) {
      assertStatus(await withAuthorization("/v1/me", value), 401, JSON.stringify(value)?.slice(0, 80));
    }
  });

  test("of a grant token, bent in any way, is refused", async () => {
    for (const value of malformed(grant)) {
      assertStatus(
        await withAuthorization(`${CREDENTIALS}/exchange`, value, { service: "github" }),
        401,
        JSON.stringify(value)?.slice(0, 80),
      );
    }
  });

  test("of the admin's key, bent in any way, is refused", async () => {
    for (const value of malformed(vault.adminKey))
      assertStatus(await withAuthorization("/v1/admin/developers", value), 401, JSON.stringify(value)?.slice(0, 80));
  });

  test("may write the scheme in any case and leave several spaces", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  ", "Bearer    "]) {
      assertStatus(await withAuthorization("/v1/me", `${scheme} ${developer.apiKey}`), 200);
      assertStatus(await withAuthorization(`${CREDENTIALS}/exchange`, `${scheme} ${grant}`, { service: "github" }), 200);
    }
  });

  test("opens one door only: API key, grant token and admin key don't stand in for each other", async () => {
    const doors = {
      "/v1/me": [grant, vault.adminKey],
      [CREDENTIALS]: [grant, vault.adminKey],
      [`${CREDENTIALS}/${id}`]: [grant, vault.adminKey],
      "/v1/admin/developers": [grant, developer.apiKey],
    };
    for (const [path, keys] of Object.entries(doors)) {
      for (const key of keys) assertStatus(await vault.send("GET", path, { bearer: key }), 401);
    }
    for (const key of [developer.apiKey, vault.adminKey]) assertStatus(await vault.exchange(key, "github"), 401);
    assertStatus(await vault.send("DELETE", `${CREDENTIALS}/${id}`, { bearer: grant }), 401);
    assertStatus(await vault.send("POST", "/v1/keys/rotate", { bearer: grant }), 401);
  });

  test("says the same of a key that is unknown and of one that is malformed", async () => {
    const unknownKey = `gx_live_${"A".repeat(43)}`;
    const answers = [unknownKey, "x", "gx_test_"].map((bearer) => vault.send("GET", "/v1/me", { bearer }));
    const [first, ...rest] = (await Promise.all(answers)).map(withoutRequestId);
    for (const other of rest) assert.deepEqual(other, first);
  });
});

test("refusals come in order: path, method, authorization, content type, size, body, scope, storage", async () => {
  const large = "x".repeat(256 * 1024 + 1);
  const plain = { "Content-Type": "text/plain" };
  const json = { "Content-Type": "application/json" };
  const narrow = await developer.grant({ principal: unique("nobody"), scopes: ["slack:read"] });
  const exchange = `${CREDENTIALS}/exchange`;
  const steps = [
    ["POST", "/v1/nothing", {}, large, plain, 404],
    ["PUT", exchange, {}, large, plain, 405],
    ["POST", exchange, {}, large, plain, 401],
    ["POST", exchange, { bearer: narrow }, large, plain, 415],
    ["POST", exchange, { bearer: narrow }, large, json, 413],
    ["POST", exchange, { bearer: narrow }, "x", json, 400],
    ["POST", exchange, { bearer: narrow }, '{"service":"github"}', json, 403],
    ["POST", exchange, { bearer: narrow }, '{"service":"slack"}', json, 404],
  ];
  for (const [method, path, auth, body, headers, status] of steps) {
    assertStatus(await vault.send(method, path, { ...auth, body, headers }), status);
  }
});
