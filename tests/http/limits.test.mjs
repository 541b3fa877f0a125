// Proves that Workers' rate-limit bindings stop who does something too often and nobody else, that the
// answer says so as clients expect, and what /health says of bindings that are missing. Each limit counts
// by the minute of the clock: a test that a minute's turn falls into sees up to twice as many answers.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Developer, Vault, assertStatus, serveVault, unique } from "./harness.mjs";

const LIMITS = { EXCHANGE_LIMIT: 20, WRITE_LIMIT: 12, AUTH_LIMIT: 8, SIGNUP_LIMIT: 5 };
const vault = await serveVault({ limits: LIMITS });
const from = (address) => ({ headers: { "CF-Connecting-IP": address } });

let signUps = 0;
/** A developer who signs up from an address of their own. */
async function newDeveloper() {
  const name = unique("Developer");
  const answer = await vault.send("POST", "/v1/signup", { json: { name }, ...from(`198.51.100.${++signUps}`) });
  return new Developer(vault, assertStatus(answer, 201).body);
}

/** Asks until it is refused: after the limit's worth of answers with `status`, or twice that. */
async function exhaust(ask, limit, status) {
  for (let count = 0; count <= 2 * limit; count++) {
    const answer = await ask();
    if (answer.status === 429) {
      assert.ok(count >= limit, `${count} are within the limit of ${limit}`);
      return answer;
    }
    assertStatus(answer, status);
  }
  assert.fail(`more than ${2 * limit} were answered`);
}

const developer = await newDeveloper();
const principal = unique("user");
const { id } = assertStatus(await developer.store({ principalId: principal, service: "github", accessToken: unique("gho") }), 201).body;

test("exchanges are limited by the grant token", async () => {
  const grant = await developer.grant({ principal, scopes: ["*"] });
  const refused = await exhaust(() => vault.exchange(grant, "github"), LIMITS.EXCHANGE_LIMIT, 200);
  assert.equal(refused.headers["retry-after"], "60");
  assert.equal(refused.headers["x-ratelimit-limit"], "20");
  assert.equal(refused.headers["x-ratelimit-remaining"], "0");
  assert.ok(Math.abs(refused.headers["x-ratelimit-reset"] - Date.now() / 1000) < 600, "seconds since the epoch");
  const { event, reason, tokenHash } = await vault.worker.logLineOf(refused.body.requestId);
  assert.equal(event, "exchange.refused");
  assert.ok(reason && tokenHash);
  const other = await developer.grant({ principal, scopes: ["*"] });
  assertStatus(await vault.exchange(other, "github"), 200, "another token of the same grant");
});

test("stores and deletions are limited by the developer, and reads are not", async () => {
  const writer = await newDeveloper();
  const refused = await exhaust(() => writer.delete(id), LIMITS.WRITE_LIMIT, 404);
  assert.equal(refused.headers["x-ratelimit-limit"], "600", "the figure of the release; the binding here has another");
  for (let i = 0; i < 3 * LIMITS.WRITE_LIMIT; i++) assertStatus(await writer.list(), 200);
  assertStatus(await developer.store({ principalId: unique("user"), service: "github", accessToken: unique("gho") }), 201);
});

describe("failed authentication", () => {
  test("is limited by the address, however it fails", async () => {
    const asks = [
      () => vault.send("GET", "/v1/me", { bearer: `gx_live_${"A".repeat(43)}`, ...from("192.0.2.1") }),
      () => vault.exchange("no token", "github", from("192.0.2.1")),
      () => vault.send("GET", "/v1/admin/developers", { bearer: "no key", ...from("192.0.2.1") }),
    ];
    let turn = 0;
    const refused = await exhaust(() => asks[turn++ % asks.length](), LIMITS.AUTH_LIMIT, 401);
    assert.equal(refused.headers["x-ratelimit-limit"], "30");
    assert.ok(!("www-authenticate" in refused.headers));
    assertStatus(await developer.send("GET", "/v1/me", from("192.0.2.1")), 200, "a good key from the same address");
    assertStatus(await vault.send("GET", "/v1/me", { bearer: "x", ...from("192.0.2.2") }), 401, "another address");
  });

  test("is limited by the /64 of an IPv6 address", async () => {
    let host = 0;
    await exhaust(() => vault.send("GET", "/v1/me", { bearer: "x", ...from(`2001:db8::${++host}`) }), LIMITS.AUTH_LIMIT, 401);
    assertStatus(await vault.send("GET", "/v1/me", { bearer: "x", ...from("2001:db8:0:1::1") }), 401);
  });
});

test("sign-ups are limited by the address", async () => {
  const ask = () => vault.send("POST", "/v1/signup", { json: { name: "" }, ...from("203.0.113.9") });
  const refused = await exhaust(ask, LIMITS.SIGNUP_LIMIT, 400);
  assert.equal(refused.headers["x-ratelimit-limit"], "5");
  assert.equal((await vault.worker.logLineOf(refused.body.requestId)).event, "limit.exceeded");
});

test("/health says whether they are on", async () => {
  const { body } = assertStatus(await vault.send("GET", "/health"), 200);
  assert.equal(body.rateLimits, "on");
  assert.equal(body.unboundRateLimits, undefined);
});

test("/health names the bindings that are missing, and off is off", async () => {
  const { EXCHANGE_LIMIT } = LIMITS;
  const partly = await new Vault({ limits: { EXCHANGE_LIMIT } }).start();
  try {
    const unbound = assertStatus(await partly.send("GET", "/health"), 200).body;
    assert.equal(unbound.rateLimits, "unbound");
    assert.deepEqual(unbound.unboundRateLimits, ["WRITE_LIMIT", "AUTH_LIMIT", "SIGNUP_LIMIT"]);
    for (let i = 0; i < 40; i++) assertStatus(await partly.send("GET", "/v1/me", { bearer: "x" }), 401);

    await partly.restart({ RATE_LIMITS: "off" });
    assert.equal(assertStatus(await partly.send("GET", "/health"), 200).body.rateLimits, "off");
    const user = await partly.newDeveloper();
    assertStatus(await user.store({ principalId: principal, service: "github", accessToken: unique("gho") }), 201);
    const grant = await user.grant({ principal, scopes: ["*"] });
    for (let i = 0; i < 2 * EXCHANGE_LIMIT + 1; i++) assertStatus(await partly.exchange(grant, "github"), 200);
    await partly.assertNothingLeaked();
  } finally {
    await partly.stop();
  }
});
