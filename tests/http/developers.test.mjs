// Proves how developers come to be and go: sign-up when it is open, an API key that can be changed, the
// operator's routes, and which web pages may call the API.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Developer, TIMESTAMP, assertStatus, serveVault, unique, withoutRequestId } from "./harness.mjs";

const ALLOWED = ["https://app.example.com", "http://localhost:5173"];
const vault = await serveVault({ settings: { CORS_ALLOWED_ORIGINS: ALLOWED.join(", ") } });

const DEVELOPER_ID = /^dev_[0-9A-HJKMNP-TV-Z]{26}$/;
const API_KEYS = { live: /^gx_live_[\w-]{43}$/, sandbox: /^gx_test_[\w-]{43}$/ };

/** A developer with one credential, whose principal is `developer.principal`. */
async function withCredential(developer) {
  developer.principal = unique("user");
  const credential = { principalId: developer.principal, service: "github", accessToken: unique("gho") };
  developer.credentialId = assertStatus(await developer.store(credential), 201).body.id;
  return developer;
}

const signUp = async (json) => {
  vault.secrets.add("a developer's name", json.name);
  vault.secrets.add("an e-mail address", json.email);
  const answer = await vault.send("POST", "/v1/signup", { json });
  if (answer.body?.apiKey) vault.secrets.add("an API key", answer.body.apiKey);
  return answer;
};

async function provision(json) {
  vault.secrets.add("a developer's name", json.name);
  vault.secrets.add("an e-mail address", json.email);
  const { body } = assertStatus(await vault.admin("POST", "", { json }), 201);
  return new Developer(vault, body);
}

describe("sign-up", () => {
  for (const mode of ["live", "sandbox"]) {
    test(`in mode ${mode} gives an id and a key`, async () => {
      const asked = { name: unique("Developer"), email: `${unique("mail")}@example.com`, mode };
      const { body } = assertStatus(await signUp(asked), 201);
      assert.match(body.developerId, DEVELOPER_ID);
      assert.match(body.apiKey, API_KEYS[mode]);
      assert.match(body.createdAt, TIMESTAMP);
      const { developerId, apiKey, createdAt } = body;
      assert.deepEqual(body, { developerId, apiKey, ...asked, createdAt });
      const me = await vault.send("GET", "/v1/me", { bearer: apiKey });
      assert.deepEqual(assertStatus(me, 200).body, { developerId, ...asked, createdAt });
    });
  }

  test("needs a name only: no e-mail is null, and the mode is live", async () => {
    const { body } = assertStatus(await signUp({ name: unique("Developer") }), 201);
    assert.equal(body.email, null);
    assert.equal(body.mode, "live");
  });

  test("gives each developer an id and a key of their own, whatever the name", async () => {
    const name = unique("Developer");
    const answers = [await signUp({ name }), await signUp({ name })].map(({ body }) => body);
    assert.notEqual(answers[0].developerId, answers[1].developerId);
    assert.notEqual(answers[0].apiKey, answers[1].apiKey);
  });
});

describe("a new key", () => {
  test("replaces the old one, and all else stays", async () => {
    const developer = await withCredential(await vault.newDeveloper());
    const before = (await developer.send("GET", "/v1/me")).body;
    const answer = assertStatus(await developer.send("POST", "/v1/keys/rotate"), 200);
    assert.deepEqual(Object.keys(answer.body).sort(), ["apiKey", "rotatedAt"]);
    assert.match(answer.body.rotatedAt, TIMESTAMP);
    assert.match(answer.body.apiKey, API_KEYS.live);
    const renewed = new Developer(vault, { ...before, apiKey: answer.body.apiKey });
    assert.notEqual(renewed.apiKey, developer.apiKey);

    for (const path of ["/v1/me", "/v1/vault/credentials"]) assertStatus(await developer.send("GET", path), 401);
    assert.deepEqual((await renewed.send("GET", "/v1/me")).body, before);
    assertStatus(await renewed.get(developer.credentialId), 200);
    const grant = await renewed.grant({ principal: developer.principal, scopes: ["*"] });
    assertStatus(await vault.exchange(grant, "github"), 200);
    assertStatus(await developer.send("POST", "/v1/keys/rotate"), 401);
  });

  test("keeps to the mode", async () => {
    const developer = await vault.newDeveloper({ mode: "sandbox" });
    const { apiKey } = assertStatus(await developer.send("POST", "/v1/keys/rotate"), 200).body;
    assert.match(vault.secrets.add("an API key", apiKey), API_KEYS.sandbox);
  });
});

describe("the operator", () => {
  test("provisions a developer with a given id, once", async () => {
    const asked = {
      developerId: unique("dev_given"),
      name: unique("Developer"),
      email: `${unique("mail")}@example.com`,
      mode: "sandbox",
    };
    const developer = await provision(asked);
    assert.match(developer.apiKey, API_KEYS.sandbox);
    const { developerId, createdAt } = developer;
    const shown = { ...asked, createdAt };
    assert.equal(developerId, asked.developerId);
    assert.deepEqual((await developer.send("GET", "/v1/me")).body, shown);
    assert.deepEqual(assertStatus(await vault.admin("GET", `/${developerId}`), 200).body, shown);

    assertStatus(await vault.admin("POST", "", { json: { developerId, name: "Someone else" } }), 409);
    assert.deepEqual((await developer.send("GET", "/v1/me")).body, shown, "the first keeps it");
  });

  test("provisions one with a new id", async () => {
    assert.match((await provision({ name: unique("Developer") })).developerId, DEVELOPER_ID);
  });

  test("sees everybody, page by page, without keys", async () => {
    const made = new Set();
    for (let i = 0; i < 5; i += 1) made.add((await provision({ name: unique("Developer") })).developerId);
    const seen = [];
    let cursor;
    do {
      const query = new URLSearchParams({ limit: 3, ...(cursor && { cursor }) });
      const { body, text } = assertStatus(await vault.admin("GET", `?${query}`), 200);
      assert.ok(body.developers.length <= 3 && !text.includes("gx_"));
      for (const shown of body.developers) {
        assert.deepEqual(Object.keys(shown).sort(), ["createdAt", "developerId", "email", "mode", "name"]);
        seen.push(shown.developerId);
      }
      cursor = body.nextCursor;
    } while (cursor);
    assert.equal(new Set(seen).size, seen.length, "nobody twice");
    for (const id of made) assert.ok(seen.includes(id), `${id} is there`);
  });

  test("removes a developer, their keys, credentials and nobody else's", async () => {
    const gone = await withCredential(await provision({ name: unique("Developer") }));
    const other = await withCredential(await vault.newDeveloper());
    const grant = await gone.grant({ principal: gone.principal, scopes: ["*"] });
    assertStatus(await vault.exchange(grant, "github"), 200);

    assertStatus(await vault.admin("DELETE", `/${gone.developerId}`), 204);
    assertStatus(await gone.send("GET", "/v1/me"), 401);
    assertStatus(await vault.exchange(grant, "github"), 404);
    assertStatus(await vault.admin("GET", `/${gone.developerId}`), 404);
    assertStatus(await vault.admin("DELETE", `/${gone.developerId}`), 404);
    const left = (await vault.worker.dump()).map(({ name }) => name).filter((name) => name.includes(gone.developerId));
    assert.deepEqual(left, [], "nothing of theirs is stored");
    assertStatus(await other.get(other.credentialId), 200);

    const again = await provision({ developerId: gone.developerId, name: unique("Developer") });
    assert.deepEqual((await again.list()).body, { credentials: [] });
  });

  test("is told 404 of ids that nobody has or can have", async () => {
    for (const id of ["dev_nobody", "a%20b", "a:b", "%00", "x".repeat(65), "*", "%2e%2e%2f"]) {
      for (const method of ["GET", "DELETE"]) assertStatus(await vault.admin(method, `/${id}`), 404);
    }
  });

  test("is refused bad pages", async () => {
    for (const query of ["limit=0", "limit=1001", "limit=x", "cursor=%00", "limit=1&limit=2"]) {
      assertStatus(await vault.admin("GET", `?${query}`), 400);
    }
  });
});

describe("web pages", () => {
  const preflight = (Origin, path = "/v1/vault/credentials", method = "POST") =>
    vault.send("OPTIONS", path, {
      headers: {
        Origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    });
  const includes = (header, word) => (header ?? "").toLowerCase().split(/, */).includes(word.toLowerCase());

  for (const origin of ALLOWED) {
    test(`of ${origin} may ask and call`, async () => {
      const { headers } = assertStatus(await preflight(origin), 204);
      assert.equal(headers["access-control-allow-origin"], origin);
      assert.ok(includes(headers["access-control-allow-methods"], "POST"), headers["access-control-allow-methods"]);
      for (const name of ["authorization", "content-type"])
        assert.ok(includes(headers["access-control-allow-headers"], name), name);
      assert.equal(headers["access-control-allow-credentials"], undefined, "no cookies are ever wanted");
      assert.ok(includes(headers.vary, "Origin"), `Vary: ${headers.vary}`);

      for (const [path, status] of [
        ["/health", 200],
        ["/v1/me", 401],
        ["/v1/nothing", 404],
      ]) {
        const answer = assertStatus(await vault.send("GET", path, { headers: { Origin: origin } }), status);
        assert.equal(answer.headers["access-control-allow-origin"], origin, path);
        assert.ok(includes(answer.headers["access-control-expose-headers"], "X-Request-Id"), `${path} exposes X-Request-Id`);
        assert.ok(includes(answer.headers.vary, "Origin"), `${path} varies by Origin`);
      }
    });
  }

  const others = [
    "https://evil.example",
    "null",
    "https://app.example.com.evil.example",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://APP.example.com",
    "*",
    "https://app.example.com/",
    ALLOWED.join(", "),
  ];
  for (const origin of others) {
    test(`of ${origin} may not`, async () => {
      const asked = assertStatus(await preflight(origin), 405);
      const called = assertStatus(await vault.send("GET", "/health", { headers: { Origin: origin } }), 200);
      for (const { headers } of [asked, called]) {
        assert.deepEqual(
          Object.keys(headers).filter((name) => name.startsWith("access-control-")),
          [],
        );
      }
    });
  }
});

describe("closed doors", () => {
  before(() => vault.restart({ SIGNUP: undefined, ADMIN_API_KEY: undefined }));

  test("sign-up is closed unless it is opened", async () => {
    assertStatus(await signUp({ name: unique("Developer") }), 403);
    await vault.restart({ SIGNUP: "closed" });
    assertStatus(await signUp({ name: unique("Developer") }), 403);
  });

  test("without ADMIN_API_KEY there are no admin routes, whatever is sent", async () => {
    const nothing = withoutRequestId(assertStatus(await vault.send("GET", "/v1/nothing"), 404));
    for (const [method, path] of [
      ["GET", ""],
      ["POST", ""],
      ["GET", "/dev_x"],
      ["DELETE", "/dev_x"],
      ["PUT", ""],
    ]) {
      for (const bearer of [undefined, "", "undefined", "null", vault.adminKey]) {
        const answer = assertStatus(await vault.admin(method, path, { bearer }), 404);
        assert.deepEqual(withoutRequestId(answer), nothing);
      }
    }
  });
});
