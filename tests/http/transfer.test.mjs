// Proves that a vault can be moved: `npm run export` takes all of it out still sealed, `npm run import`
// puts it into another namespace and refuses what doesn't open there, and both sides then hold the same;
// and that a table of Grantex's comes in with its times and its developers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createCipheriv, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, describe, test } from "node:test";
import { Developer, assertStatus, makeRootKey, serveVault, unique } from "./harness.mjs";

const rootKey = makeRootKey();
const source = await serveVault({ settings: { VAULT_ENCRYPTION_KEY: rootKey } });
const folder = mkdtempSync(join(tmpdir(), "grant-vault-transfer-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name) => join(folder, name);

/** Runs one of the scripts against a vault: {code, stdout, stderr}. */
function run(vault, script, args, env = {}) {
  const path = fileURLToPath(new URL(`../../scripts/${script}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [path, "--url", String(vault.worker.url), ...args], {
    env: { ...process.env, ADMIN_API_KEY: vault.adminKey, ...env },
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].on("data", (chunk) => (text[name] += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...text })));
}

/** All of a namespace: key -> value. */
const held = async (vault) => new Map((await vault.worker.dump()).map(({ name, value }) => [name, value.toString()]));
const lines = (path) => readFileSync(path, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const rewrite = (name, change) => writeFileSync(file(name), change(lines(file("whole.jsonl"))).map((line) => `${JSON.stringify(line)}\n`).join(""));

const developer = await source.newDeveloper();
const stored = [];
for (let number = 0; number < 130; number += 1) {
  const credential = {
    principalId: unique("user"),
    service: "github",
    accessToken: unique("gho"),
    ...(number % 3 === 0 && { refreshToken: unique("ghr"), tokenExpiresAt: "2026-04-10T00:00:00.000Z" }),
    metadata: { number, ...(number % 40 === 0 && { note: "x".repeat(5_000) }) },
  };
  stored.push({ ...credential, ...assertStatus(await developer.store(credential), 201).body });
}
assertStatus(await developer.revokeToken("tok_revoked"), 204);
const target = await serveVault({ settings: { VAULT_ENCRYPTION_KEY: makeRootKey(), VAULT_PREVIOUS_KEYS: rootKey } });

describe("an export", () => {
  test("holds every record as storage does, for the owner of the file alone", async () => {
    const { code, stdout, stderr } = await run(source, "export", ["--out", file("whole.jsonl")]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /130 {2}credentials/);
    const [header, ...rest] = lines(file("whole.jsonl"));
    const end = rest.pop();
    assert.deepEqual([header.format, header.version], ["grant-vault export", 1]);
    assert.deepEqual(end, { end: true, records: 133 });
    assert.deepEqual(new Map(rest.map(({ key, value }) => [key, value])), await held(source));
    assert.equal(statSync(file("whole.jsonl")).mode & 0o777, 0o600);
    assert.deepEqual(source.secrets.foundIn(readFileSync(file("whole.jsonl"))), []);
    const revocation = rest.find(({ key }) => key.startsWith("revoked:"));
    assert.ok(Math.abs(revocation.expiration - Date.now() / 1000 - 400 * 86_400) < 3_600, JSON.stringify(revocation));
  });

  test("that fails leaves nothing", async () => {
    const refused = await run({ ...source, worker: source.worker, adminKey: "x".repeat(40) }, "export", ["--out", file("none.jsonl")]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /refuses the admin key/);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith("none")), []);
  });
});

describe("an import", () => {
  test("of a file that was cut or changed sends nothing", async () => {
    rewrite("cut.jsonl", (all) => all.slice(0, -1));
    rewrite("short.jsonl", (all) => all.toSpliced(5, 1));
    rewrite("other.jsonl", ([header, ...rest]) => [{ ...header, format: "other" }, ...rest]);
    rewrite("later.jsonl", ([header, ...rest]) => [{ ...header, version: 2 }, ...rest]);
    for (const [name, why] of [["cut", /it was cut/], ["short", /holds 132 records and says 133/], ["other", /not an export/], ["later", /version 2/], ["missing", /There is no/]]) {
      const { code, stderr } = await run(target, "import", ["--from", file(`${name}.jsonl`)]);
      assert.equal(code, 1);
      assert.match(stderr, why);
    }
    assert.equal((await held(target)).size, 0);
  });

  test("refuses what doesn't open, or is no record, and takes the rest", async () => {
    rewrite("changed.jsonl", (all) => {
      const records = all.slice(1, -1);
      const credentials = records.filter(({ key }) => key.startsWith("cred:"));
      credentials[0].value = credentials[0].value.replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
      [credentials[1].value, credentials[2].value] = [credentials[2].value, credentials[1].value];
      records.find(({ key }) => key.startsWith("revoked:")).value = "2";
      records.find(({ key }) => key.startsWith("key:")).key = `key:${"A".repeat(43)}`;
      const strange = ["cred:x", "other:1", ".", "", "x\ny", `cred:${"d".repeat(600)}:x`].map((key) => ({ key, value: "x" }));
      return [all[0], ...records, ...strange, { end: true, records: records.length + strange.length }];
    });
    const stranger = await serveVault({ settings: { VAULT_ENCRYPTION_KEY: rootKey } });
    const { code, stdout } = await run(stranger, "import", ["--from", file("changed.jsonl")]);
    assert.equal(code, 1);
    assert.match(stdout, /128 {2}written/);
    assert.match(stdout, /11 {2}refused/);
    assert.equal((await held(stranger)).size, 128);
  });

  test("into a vault without the key writes nothing", async () => {
    const stranger = await serveVault();
    const { code, stdout } = await run(stranger, "import", ["--from", file("whole.jsonl")]);
    assert.equal(code, 1);
    assert.match(stdout, /neither the current nor a previous key/);
    assert.equal([...(await held(stranger)).keys()].filter((key) => !key.startsWith("revoked:")).length, 0);
  });

  test("makes the other side the same, however often", async () => {
    for (const outcome of [/133 {2}written/, /133 {2}were here already/]) {
      const { code, stdout, stderr } = await run(target, "import", ["--from", file("whole.jsonl")]);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, outcome);
      const there = await held(target);
      for (const [key, value] of await held(source)) assert.equal(there.get(key), value, key);
    }
    const moved = new Developer(target, { developerId: developer.developerId, apiKey: developer.apiKey });
    assert.deepEqual((await moved.list()).body, (await developer.list()).body);
    for (const one of stored.slice(0, 10)) {
      const grant = await target.issuer.grant({ developerId: developer.developerId, principal: one.principalId, scopes: ["*"] });
      assert.equal(assertStatus(await target.exchange(grant, "github"), 200).body.accessToken, one.accessToken);
    }
    const revoked = await target.issuer.grant({ developerId: developer.developerId, principal: stored[0].principalId, scopes: ["*"], jti: "tok_revoked" });
    assertStatus(await target.exchange(revoked, "github"), 401);
  });

  test("keeps what is newer there, and what was deleted there in the rotation", async () => {
    const moved = new Developer(target, { developerId: developer.developerId, apiKey: developer.apiKey });
    const [newer, gone] = stored;
    const accessToken = unique("gho_newer");
    assertStatus(await moved.store({ principalId: newer.principalId, service: "github", accessToken }), 201);
    assertStatus(await moved.delete(gone.id), 204);
    const { code, stdout } = await run(target, "import", ["--from", file("whole.jsonl")]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /2 {2}are newer here/);
    const grant = await target.issuer.grant({ developerId: developer.developerId, principal: newer.principalId, scopes: ["*"] });
    assert.equal((await target.exchange(grant, "github")).body.accessToken, accessToken);
    assertStatus(await moved.get(gone.id), 404);
  });

  test("ends with a rotation, after which the source's key can go", async () => {
    const { code, stdout, stderr } = await run(target, "rotate", ["--batch", "200"]);
    assert.equal(code, 0, stdout + stderr);
    await target.restart({ VAULT_PREVIOUS_KEYS: undefined });
    const moved = new Developer(target, { developerId: developer.developerId, apiKey: developer.apiKey });
    assert.equal((await moved.list()).body.credentials.length, 129);
  });
});

describe("Grantex's table", () => {
  const key = randomBytes(32);
  const seal = (text) => {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
  };
  const secrets = new Map();
  const row = (fields = {}) => {
    const token = source.secrets.add("a token of Grantex's", unique("gho_grantex"));
    const id = unique("vault");
    secrets.set(id, token);
    return {
      id,
      developer_id: "dev_01GRANTEX",
      principal_id: source.secrets.add("a principal", unique("user")),
      service: "slack",
      credential_type: "oauth2",
      access_token: seal(token),
      refresh_token: null,
      token_expires_at: null,
      metadata: {},
      created_at: "2025-01-02T03:04:05.678Z",
      updated_at: "2025-06-07T08:09:10.111Z",
      ...fields,
    };
  };
  const rows = [
    row(),
    row({ refresh_token: seal("ghr_grantex"), token_expires_at: "2026-04-10 00:00:00+00", metadata: '{"scope":"a,\\"b\\""}' }),
    row({ created_at: "2025-01-02 03:04:05.678901+02", updated_at: "2025-06-07 08:09:10+00" }),
  ];
  const csv = () => {
    const names = Object.keys(rows[0]);
    const field = (value) => (value === null ? "" : `"${(typeof value === "string" ? value : JSON.stringify(value)).replaceAll('"', '""')}"`);
    return [names.join(","), ...rows.map((one) => names.map((name) => field(one[name])).join(","))].join("\n");
  };
  const forms = { json: () => JSON.stringify(rows), jsonl: () => rows.map((one) => JSON.stringify(one)).join("\n"), csv };

  for (const [form, write] of Object.entries(forms)) {
    test(`comes in as .${form} with its times, its developers and its tokens`, async () => {
      const vault = await serveVault();
      writeFileSync(file(`table.${form}`), write());
      const env = { GRANTEX_VAULT_ENCRYPTION_KEY: form === "csv" ? key.toString("base64") : key.toString("hex") };
      for (const outcome of [/3 {2}written/, /3 {2}were here already/]) {
        const { code, stdout, stderr } = await run(vault, "import", ["--grantex", file(`table.${form}`)], env);
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, outcome);
        assert.deepEqual(vault.secrets.foundIn(stdout + stderr), []);
      }
      const answer = await vault.admin("POST", "", { json: { developerId: "dev_01GRANTEX", name: unique("Acme") } });
      const moved = new Developer(vault, assertStatus(answer, 201).body);
      const { credentials } = assertStatus(await moved.list(), 200).body;
      assert.equal(credentials.length, rows.length);
      for (const [index, one] of rows.entries()) {
        const shown = credentials.find(({ principalId }) => principalId === one.principal_id);
        const times = index === 2 ? ["2025-01-02T01:04:05.678Z", "2025-06-07T08:09:10.000Z"] : [one.created_at, one.updated_at];
        assert.deepEqual([shown.createdAt, shown.updatedAt], times);
        assert.deepEqual(shown.metadata, index === 1 ? { scope: 'a,"b"' } : {});
        assert.equal(shown.tokenExpiresAt, index === 1 ? "2026-04-10T00:00:00.000Z" : null);
        const grant = await moved.grant({ principal: one.principal_id, scopes: ["slack:read"] });
        assert.equal(assertStatus(await vault.exchange(grant, "slack"), 200).body.accessToken, secrets.get(one.id));
      }
    });
  }

  test("has rows refused by name, one by one, and the newer of two spellings taken", async () => {
    const vault = await serveVault();
    const twice = row({ service: "GitHub", updated_at: "2025-06-08T00:00:00Z" });
    const older = row({ service: "github", principal_id: twice.principal_id });
    const wrong = [
      row({ access_token: seal("x").replace(/^./, (c) => (c === "A" ? "B" : "A")) }),
      row({ access_token: "AAAA" }),
      row({ service: "not a service" }),
      row({ metadata: [1] }),
      row({ created_at: "yesterday" }),
      row({ developer_id: "dev:1" }),
    ];
    writeFileSync(file("mixed.json"), JSON.stringify([older, twice, ...wrong]));
    const { code, stdout } = await run(vault, "import", ["--grantex", file("mixed.json")], { GRANTEX_VAULT_ENCRYPTION_KEY: key.toString("hex") });
    assert.equal(code, 1);
    assert.match(stdout, /1 {2}written/);
    assert.match(stdout, /6 {2}refused/);
    for (const { id } of wrong) assert.ok(stdout.includes(`${id}: `), stdout);
    assert.ok(stdout.includes(`superseded: ${older.id}`), stdout);
    const grant = await vault.issuer.grant({ developerId: twice.developer_id, principal: twice.principal_id, scopes: ["*"] });
    assert.equal(assertStatus(await vault.exchange(grant, "github"), 200).body.accessToken, secrets.get(twice.id));
  });

  test("wants its key and its columns", async () => {
    writeFileSync(file("columns.json"), "[{}]");
    for (const [args, env, why] of [
      [["--grantex", file("mixed.json")], {}, /key is missing/],
      [["--grantex", file("mixed.json")], { GRANTEX_VAULT_ENCRYPTION_KEY: "short" }, /32 bytes/],
      [["--grantex", file("columns.json")], { GRANTEX_VAULT_ENCRYPTION_KEY: key.toString("hex") }, /lacks the columns/],
      [["--grantex", file("table.xlsx")], { GRANTEX_VAULT_ENCRYPTION_KEY: key.toString("hex") }, /must end in/],
      [[], {}, /--from FILE or --grantex/],
    ]) {
      const { code, stderr } = await run(source, "import", args, env);
      assert.equal(code, 1);
      assert.match(stderr, why);
    }
  });
});
