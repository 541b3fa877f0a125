// Proves how the vault gets its issuer's keys from GRANT_JWKS_URL: fetched once and kept, fetched again
// for a key it doesn't know but not at an attacker's pace, within bounds whatever the issuer answers,
// and that an issuer which is down stops only what can't be decided without it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { assertStatus, poll, serveVault, unique } from "./harness.mjs";
import { makeKey } from "./support/grants.mjs";

const KIB = 1024;

/** The issuer's server: `answer` handles the next requests, `requests` are those it had. */
const server = createServer((request, response) => {
  requests.push(request.url);
  answer(request, response);
});
let requests = [];
let answer;
let url;

const vault = await serveVault({
  async settings() {
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${server.address().port}`;
    return { GRANT_JWKS: undefined, GRANT_JWKS_URL: `${url}/jwks.json` };
  },
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const json =
  (value, headers = {}) =>
  (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", ...headers });
    response.end(typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value));
  };

/** `count` keys, the issuer's own among them. */
const keysOf = (count) => [
  ...vault.issuer.jwks.keys,
  ...Array.from({ length: count - 2 }, (_, i) => ({ ...vault.issuer.keys.ES256.jwk, kid: `more-${i}` })),
];

/** The issuer's set as JSON text of exactly `bytes` bytes. */
function jwksOfSize(bytes) {
  const text = JSON.stringify(vault.issuer.jwks);
  return text + " ".repeat(bytes - text.length);
}

const developer = await vault.newDeveloper();
const principal = unique("user");
assertStatus(await developer.store({ principalId: principal, service: "github", accessToken: unique("gho") }), 201);

const exchange = async (options) =>
  vault.exchange(await developer.grant({ principal, scopes: ["github:read"] }, options), "github");

/** A vault that has fetched nothing yet, and an issuer that answers with `handler`. */
async function fresh(handler, settings) {
  await vault.restart(settings);
  requests = [];
  answer = handler;
}

describe("a good set", () => {
  test("is fetched when it is first needed, and kept", async () => {
    await fresh(json(vault.issuer.jwks));
    assertStatus(await developer.list(), 200);
    assert.deepEqual(requests, [], "an API key needs no set");
    for (const alg of ["RS256", "ES256", "RS256"]) assertStatus(await exchange({ alg }), 200);
    assert.deepEqual(requests, ["/jwks.json"]);
  });

  test("serves many first exchanges at once", async () => {
    await fresh(json(vault.issuer.jwks));
    for (const answered of await Promise.all(Array.from({ length: 10 }, () => exchange()))) assertStatus(answered, 200);
  });

  const sets = {
    "as application/jwk-set+json": () => json(vault.issuer.jwks, { "Content-Type": "application/jwk-set+json" }),
    "with a charset": () => json(vault.issuer.jwks, { "Content-Type": "Application/JSON; charset=utf-8" }),
    "of exactly 64 KiB": () => json(jwksOfSize(64 * KIB)),
    "of 128 keys": () => json({ keys: keysOf(128) }),
    "with keys of kinds the vault doesn't know": () =>
      json({ keys: [{ kty: "OKP", crv: "Ed25519", x: "AA", kid: "ed" }, { kty: "new" }, ...vault.issuer.jwks.keys] }),
  };
  for (const [name, make] of Object.entries(sets)) {
    test(`is taken ${name}`, async () => {
      await fresh(make());
      assertStatus(await exchange(), 200);
    });
  }

  test("is looked for at the issuer's well-known path when no address is given", async () => {
    await fresh(json(vault.issuer.jwks), { GRANT_ISSUER: url, GRANT_JWKS_URL: undefined });
    assertStatus(await exchange({ claims: { iss: url } }), 200);
    assert.deepEqual(requests, ["/.well-known/jwks.json"]);
    await vault.restart({ GRANT_ISSUER: vault.issuer.settings.GRANT_ISSUER, GRANT_JWKS_URL: `${url}/jwks.json` });
  });
});

describe("an unknown kid", () => {
  test("fetches the set again, once, and takes the rotated key", async () => {
    await fresh(json(vault.issuer.jwks));
    assertStatus(await exchange(), 200);
    const rotated = await makeKey("ES256", "rotated");
    answer = json({ keys: [...vault.issuer.jwks.keys, rotated.jwk] });
    // At once, or when 30 s have passed since the last fetch.
    await poll("the rotated key", async () => (await exchange({ key: rotated })).status === 200, {
      timeout: 35_000,
      interval: 250,
    });
    assert.equal(requests.length, 2);
    for (let i = 0; i < 20; i += 1) {
      assertStatus(await exchange({ header: { kid: `forged-${i}` } }), 401);
    }
    assert.equal(requests.length, 2, "twenty forged kids within 30 s fetch nothing");
    assertStatus(await exchange(), 200);
  });
});

describe("with no good set an exchange answers 503", () => {
  const bad = {
    "status 500": (_, response) =>
      response.writeHead(500, { "Content-Type": "application/json" }).end(JSON.stringify(vault.issuer.jwks)),
    "status 404": (_, response) => response.writeHead(404, { "Content-Type": "application/json" }).end("{}"),
    "a redirect to a good set": (request, response) =>
      request.url === "/good" ? json(vault.issuer.jwks)(request, response) : response.writeHead(302, { Location: "/good" }).end(),
    "content type text/html": (request, response) => json(vault.issuer.jwks, { "Content-Type": "text/html" })(request, response),
    "no content type": (_, response) => response.writeHead(200).end(JSON.stringify(vault.issuer.jwks)),
    "no JSON": json("<html>"),
    nothing: json(""),
    "an array": (request, response) => json(vault.issuer.jwks.keys)(request, response),
    "no keys": json({}),
    "keys that are an object": json({ keys: {} }),
    "a byte over 64 KiB": (request, response) => json(jwksOfSize(64 * KIB + 1))(request, response),
    "a byte over 64 KiB, in chunks": (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write(JSON.stringify(vault.issuer.jwks));
      response.end(" ".repeat(64 * KIB));
    },
    "10 MB in a few gzipped bytes": (request, response) =>
      json(gzipSync(jwksOfSize(10_000_000)), { "Content-Encoding": "gzip" })(request, response),
    "129 keys": (request, response) => json({ keys: keysOf(129) })(request, response),
    "a closed connection": (request) => request.socket.destroy(),
    "half a body": (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 1000 });
      response.write('{"keys":[');
      setTimeout(() => response.destroy(), 20);
    },
  };
  const slow = {
    "headers that take longer than 5 s": () => {},
    "a body that takes longer than 5 s": (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write('{"keys":[');
    },
  };
  for (const [name, handler] of Object.entries({ ...bad, ...slow })) {
    test(`${name}`, async () => {
      await fresh(handler);
      const started = Date.now();
      const answered = assertStatus(await exchange(), 503);
      assert.ok(Date.now() - started < 8_000, "within 5 s and a little");
      assert.deepEqual(requests, ["/jwks.json"], "one request, and no redirect followed");
      const line = await vault.worker.logLineOf(answered.body.requestId);
      assert.ok(line.reason, `the log says why: ${JSON.stringify(line)}`);
      assertStatus(await developer.list(), 200, "what needs no set goes on");
    });
  }

  test("a port where nobody listens", async () => {
    await fresh(undefined, { GRANT_JWKS_URL: "http://127.0.0.1:9/jwks.json" });
    assertStatus(await exchange(), 503);
    await vault.restart({ GRANT_JWKS_URL: `${url}/jwks.json` });
  });

  test("and soon serves again when the issuer is back", async () => {
    await fresh((_, response) => response.writeHead(500).end());
    assertStatus(await exchange(), 503);
    const refused = assertStatus(await exchange(), 503);
    answer = json(vault.issuer.jwks);
    const wait = Number(refused.headers["retry-after"]);
    await poll("a good set", async () => (await exchange()).status === 200, { timeout: (wait + 1) * 1000, interval: 250 });
  });
});

describe("with a good set at hand", () => {
  test("an issuer that has gone down changes nothing for keys that are known", async () => {
    await fresh(json(vault.issuer.jwks));
    assertStatus(await exchange(), 200);
    answer = (request) => request.socket.destroy();
    assertStatus(await exchange({ header: { kid: "forged" } }), 401);
    for (const alg of ["RS256", "ES256"]) assertStatus(await exchange({ alg }), 200);
  });

  test("an issuer that turns bad doesn't replace it", async () => {
    await fresh(json(vault.issuer.jwks));
    assertStatus(await exchange(), 200);
    answer = json({ keys: {} });
    assertStatus(await exchange({ header: { kid: "forged" } }), 401);
    assertStatus(await exchange(), 200);
  });
});
