// Proves that a root key can be changed while the vault is in use, with `npm run rotate` against real
// workerd: killed halfway and run again, with stores, deletes and exchanges all the while, nothing is lost,
// nothing that was deleted comes back, and in the end the old key can go.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { assertStatus, makeRootKey, serveVault, unique } from "./harness.mjs";

const first = makeRootKey();
const second = makeRootKey();
const vault = await serveVault({ settings: { VAULT_ENCRYPTION_KEY: first } });
const ROTATE = fileURLToPath(new URL("../../scripts/rotate.mjs", import.meta.url));

/** Starts `npm run rotate`: {child, ended: {code, signal, stdout, stderr}}. */
function rotate(...args) {
  const env = { ...process.env, ADMIN_API_KEY: vault.adminKey };
  const child = spawn(process.execPath, [ROTATE, "--url", String(vault.worker.url), ...args], { env });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (chunk) => (text[name] += chunk));
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, ...text })));
  return { child, text, ended };
}

const operator = (method, path, options) => vault.send(method, `/v1/admin${path}`, { bearer: vault.adminKey, ...options });

/** How many records are under the keys, by key id, from all pages. */
async function counts() {
  const sum = { keys: {}, unreadable: 0, unsettled: 0 };
  let cursor;
  do {
    const { body } = assertStatus(await operator("GET", `/keys?${new URLSearchParams(cursor ? { cursor } : {})}`), 200);
    for (const { keyId, records } of body.keys) sum.keys[keyId] = (sum.keys[keyId] ?? 0) + records;
    for (const name of ["unreadable", "unsettled"]) sum[name] += body[name];
    sum.current = body.keys.find(({ current }) => current).keyId;
    cursor = body.nextCursor;
  } while (cursor);
  return sum;
}

const developer = await vault.newDeveloper();
/** What was acknowledged last: principal -> token, or nothing when it was deleted. */
const expected = new Map();
const ids = new Map();

async function store(principalId, metadata = {}) {
  const accessToken = unique("gho");
  const answer = await developer.store({ principalId, service: "github", accessToken, metadata });
  if (answer.status === 503) return false;
  ids.set(principalId, assertStatus(answer, 201).body.id);
  expected.set(principalId, accessToken);
  return true;
}

async function remove(principalId) {
  const answer = await developer.delete(ids.get(principalId));
  if (answer.status !== 503) {
    assertStatus(answer, 204);
    expected.set(principalId, undefined);
  }
}

async function exchange(principal) {
  const answer = await vault.exchange(await developer.grant({ principal, scopes: ["github:read"] }), "github");
  if (answer.status === 404) return undefined;
  return assertStatus(answer, 200).body.accessToken;
}

async function assertAllAsExpected() {
  for (const [principal, token] of expected) assert.equal(await exchange(principal), token, principal);
  const { body } = assertStatus(await developer.list(), 200);
  const there = [...expected].filter(([, token]) => token).map(([principal]) => ids.get(principal));
  assert.deepEqual(body.credentials.map(({ id }) => id).sort(), there.sort());
}

describe("changing the root key", { concurrency: false }, () => {
  const principals = Array.from({ length: 120 }, () => unique("user"));

  test("starts with everything under the old one", async () => {
    for (const [number, principal] of principals.entries()) await store(principal, number % 10 === 0 ? { note: "x".repeat(2_000) } : {});
    const { keys, current } = await counts();
    assert.deepEqual(keys, { [current]: 122 }, "120 credentials, and the account twice");
  });

  test("goes on through a kill, stores, deletes and exchanges, and loses nothing", async () => {
    await vault.restart({ VAULT_ENCRYPTION_KEY: second, VAULT_PREVIOUS_KEYS: first });
    await assertAllAsExpected();

    const killed = rotate("--batch", "4");
    let busy = true;
    const others = (async () => {
      for (let turn = 0; busy; turn += 1) {
        const principal = principals[(turn * 7) % principals.length];
        if (turn % 5 === 4 && expected.get(principal)) await remove(principal);
        else await store(principal);
        const token = await exchange(principal);
        assert.equal(token, expected.get(principal), "what was just acknowledged is what is seen");
      }
    })();
    while (!/ [3-6]\d %/.test(killed.text.stderr)) await new Promise((resolve) => setTimeout(resolve, 5));
    killed.child.kill("SIGKILL");
    assert.equal((await killed.ended).signal, "SIGKILL");
    const between = await counts();
    assert.equal(Object.keys(between.keys).length, 2, JSON.stringify(between));

    const [one, other] = [rotate("--batch", "7"), rotate("--batch", "11")];
    const [done] = await Promise.all([one.ended, other.ended]);
    busy = false;
    await others;
    assert.ok(done.stderr.includes("Resealing"), done.stderr);

    const last = await rotate().ended;
    assert.equal(last.code, 0, last.stdout + last.stderr);
    assert.match(last.stdout, /VAULT_PREVIOUS_KEYS can go/);
    assert.ok(!(last.stdout + last.stderr).includes(vault.adminKey));
    await assertAllAsExpected();
  });

  test("ends with nothing under the old one, which can go", async () => {
    const { keys, current, unreadable, unsettled } = await counts();
    const there = [...expected.values()].filter(Boolean).length + 2;
    assert.deepEqual({ unreadable, unsettled }, { unreadable: 0, unsettled: 0 });
    assert.deepEqual(Object.entries(keys).filter(([, records]) => records > 0), [[current, there]]);

    await vault.restart({ VAULT_PREVIOUS_KEYS: undefined });
    await assertAllAsExpected();
    const again = await rotate().ended;
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.match(again.stderr, /nothing to reseal/);
  });

  test("names what doesn't open, and the old key has to stay", async () => {
    const broken = principals.find((principal) => expected.get(principal));
    const key = `cred:${developer.developerId}:${ids.get(broken)}`;
    const kv = await vault.worker.kv();
    const { value, metadata } = await kv.getWithMetadata(key);
    await kv.put(key, `${value.slice(0, 60)}${value[60] === "A" ? "B" : "A"}${value.slice(61)}`, { metadata });
    await vault.restart({ VAULT_ENCRYPTION_KEY: first, VAULT_PREVIOUS_KEYS: second });
    const { code, stdout } = await rotate("--batch", "900").ended;
    assert.equal(code, 1);
    assert.ok(stdout.includes(`${key}: details: changed, or moved here from elsewhere`), stdout);
    assert.match(stdout, /Keep the previous keys/);
    await (await vault.worker.kv()).put(key, value, { metadata });
    assert.equal((await rotate().ended).code, 0);
    await assertAllAsExpected();
  });
});

describe("the operator's calls", () => {
  test("want the admin key", async () => {
    for (const [method, path] of [["GET", "/keys"], ["POST", "/rewrap"], ["GET", "/records"], ["POST", "/records"], ["POST", "/credentials"]]) {
      const json = method === "POST" ? {} : undefined;
      assertStatus(await operator(method, path, { bearer: developer.apiKey, json }), 401);
      assertStatus(await operator(method, path, { bearer: undefined, json }), 401);
    }
  });

  test("say what is wrong with a request", async () => {
    for (const [path, json, message] of [
      ["/rewrap", { cursor: "nowhere" }, /^cursor/],
      ["/rewrap", { limit: 0 }, /^limit/],
      ["/rewrap", { limit: 901 }, /^limit/],
      ["/rewrap", { limit: "4" }, /^limit/],
      ["/records", {}, /^records is required/],
      ["/records", { records: [] }, /^records must have 1 to 20/],
      ["/records", { records: [{ key: "cred:x" }] }, /^records must be/],
      ["/records", { records: Array(21).fill({ key: "a", value: "b" }) }, /^records must have 1 to 20/],
      ["/credentials", { credentials: {} }, /^credentials must be/],
    ]) {
      const { body } = assertStatus(await operator("POST", path, { json }), 400, JSON.stringify(json));
      assert.match(body.message, message);
    }
    assertStatus(await operator("GET", "/keys?cursor=nowhere"), 400);
    assertStatus(await operator("GET", "/records?limit=101"), 400);
  });
});
