// The example Worker in workerd, bundled by wrangler as its author would: TypeScript, a KV binding of its
// own, the vault mounted in one line. Beside it the Worker of this repository on the same namespace: what
// one writes the other reads, and a Node program reads it too.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { at, toolEnv, wranglerCommand } from "../../scripts/lib/run.mjs";
import { installed, project, roundTripFiles } from "./support/package.mjs";
import { EXPECTED } from "./fixtures/expected.mjs";

const COMPATIBILITY_DATE = "2026-11-01";
const { Vault, issuer, jwks, signGrant } = await installed();
const key = randomBytes(32).toString("base64");
const adminKey = randomBytes(32).toString("hex");
const github = { principalId: "user_1", service: "github", accessToken: "gho_1", metadata: { a: "ü" } };

/** What wrangler would deploy of a project: its modules. */
function bundled(folder) {
  const [program, ...args] = wranglerCommand("deploy", "--dry-run", "--outdir", "dist");
  execFileSync(program, args, { cwd: folder, env: toolEnv({ CI: "1" }), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const modules = {};
  for (const name of readdirSync(join(folder, "dist")).filter((file) => /\.(js|wasm)$/.test(file))) {
    const contents = readFileSync(join(folder, "dist", name));
    modules[name] = name.endsWith(".wasm") ? { type: "wasm", contents: new Uint8Array(contents) } : { type: "esm", contents: contents.toString() };
  }
  return modules;
}

function worker(name, mainModule, modules, kv, settings) {
  const texts = Object.fromEntries(Object.entries(settings).map(([setting, value]) => [setting, { type: "text", value }]));
  return { config: { name, compatibilityDate: COMPATIBILITY_DATE, manifest: { mainModule, modulesRoot: at("build"), modules }, env: { ...texts, ...(kv && { [kv]: { type: "kv", id: "shared" } }) } } };
}

const issuerServer = createServer((request, response) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(jwks)));
let workers;
let miniflare;

before(async () => {
  await new Promise((resolve) => issuerServer.listen(0, "127.0.0.1", resolve));
  const example = project({}, { from: at("examples", "worker") });
  const trial = project({
    ...roundTripFiles(),
    "index.ts": `
      import * as vault from "grant-vault";
      import { roundTrip } from "./round-trip.mjs";
      export default { fetch: async (): Promise<Response> => Response.json(await roundTrip(vault)) };`,
    "wrangler.toml": `name = "trial"\nmain = "index.ts"\ncompatibility_date = "${COMPATIBILITY_DATE}"\nsend_metrics = false\n`,
  });
  const built = Object.fromEntries(["index.js", "index_bg.wasm"].map((name) => {
    const contents = readFileSync(at("build", name));
    return [name, name.endsWith(".wasm") ? { type: "wasm", contents: new Uint8Array(contents) } : { type: "esm", contents: contents.toString() }];
  }));
  const settings = { VAULT_ENCRYPTION_KEY: key, ADMIN_API_KEY: adminKey, GRANT_ISSUER: issuer, GRANT_JWKS_URL: `http://127.0.0.1:${issuerServer.address().port}/jwks.json` };
  miniflare = new Miniflare({
    host: "127.0.0.1", port: 0, cf: false, telemetry: { enabled: false }, handleStructuredLogs: () => {},
    workers: [
      worker("example", "index.js", bundled(example), "CREDENTIALS", settings),
      worker("released", "index.js", built, "VAULT", settings),
      worker("trial", "index.js", bundled(trial), undefined, {}),
    ],
  });
  await miniflare.ready;
  workers = Object.fromEntries(await Promise.all(["example", "released", "trial"].map(async (name) => [name, await miniflare.getWorker(name)])));
});
after(async () => {
  await miniflare?.dispose();
  issuerServer.close();
});

async function send(name, method, path, { bearer, json } = {}) {
  const headers = { ...(bearer && { Authorization: `Bearer ${bearer}` }), ...(json && { "Content-Type": "application/json" }) };
  const response = await workers[name].fetch(`https://vault.example${path}`, { method, headers, body: json && JSON.stringify(json) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
}

const newDeveloper = async (name) => {
  const { status, body } = await send(name, "POST", "/v1/admin/developers", { bearer: adminKey, json: { name: "Acme" } });
  assert.equal(status, 201);
  return body;
};
const exchange = (name, bearer, service = "github") => send(name, "POST", "/v1/vault/credentials/exchange", { bearer, json: { service } });
const grantFor = (developerId) => signGrant({ developerId, principalId: "user_1", scopes: ["github:read"] });

test("every export works in workerd", async () => {
  const { status, body } = await send("trial", "GET", "/");
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body, EXPECTED);
});

test("the mounted vault serves the contract", async () => {
  assert.equal((await send("example", "GET", "/health")).body.status, "ok");
  const { apiKey, developerId } = await newDeveloper("example");
  const stored = await send("example", "POST", "/v1/vault/credentials", { bearer: apiKey, json: github });
  assert.equal(stored.status, 201);
  const { status, body, headers } = await exchange("example", await grantFor(developerId));
  assert.deepEqual([status, body.accessToken, headers.get("Cache-Control")], [200, "gho_1", "no-store"]);
  assert.equal((await send("example", "GET", "/v1/me", { bearer: apiKey })).body.developerId, developerId);
  const refusal = await send("example", "GET", "/agent/repositories", { bearer: "nonsense" });
  assert.deepEqual([refusal.status, refusal.body.code, Object.keys(refusal.body)], [401, "UNAUTHORIZED", ["message", "code", "requestId"]]);
});

test("many requests at once, each with its own answer", async () => {
  const developers = await Promise.all(Array.from({ length: 5 }, () => newDeveloper("example")));
  await Promise.all(developers.map(({ apiKey, developerId }) => send("example", "POST", "/v1/vault/credentials", { bearer: apiKey, json: { ...github, accessToken: `gho_${developerId}` } })));
  const wanted = Array.from({ length: 100 }, (_, index) => developers[index % 5].developerId);
  const answers = await Promise.all(wanted.map(async (developerId) => (await exchange("example", await grantFor(developerId))).body.accessToken));
  assert.deepEqual(answers, wanted.map((developerId) => `gho_${developerId}`));
});

for (const [writer, reader] of [["released", "example"], ["example", "released"]]) {
  test(`what ${writer} writes ${reader} reads, and a Node program too`, async () => {
    const { apiKey, developerId } = await newDeveloper(writer);
    const { body: { id } } = await send(writer, "POST", "/v1/vault/credentials", { bearer: apiKey, json: github });
    const exchanged = await exchange(reader, await grantFor(developerId));
    assert.equal(exchanged.body.accessToken, "gho_1", JSON.stringify(exchanged.body));
    const shown = await send(reader, "GET", `/v1/vault/credentials/${id}`, { bearer: apiKey });
    assert.deepEqual(shown.body.metadata, github.metadata);

    const vault = new Vault({ kv: await miniflare.getKVNamespace("CREDENTIALS", "example"), encryptionKey: key, grants: { issuer, jwks } });
    assert.deepEqual(await vault.developer(developerId).list(), { credentials: [shown.body] });
    assert.equal((await vault.exchange(await grantFor(developerId), { service: "github" })).accessToken, "gho_1");

    // And back: Node writes, both Workers read; Node revokes, both refuse.
    await vault.developer(developerId).store({ ...github, accessToken: "gho_2" });
    const token = await grantFor(developerId);
    for (const name of [reader, writer]) assert.equal((await exchange(name, token)).body.accessToken, "gho_2");
    await vault.developer(developerId).revokeToken(JSON.parse(atob(token.split(".")[1])).jti);
    for (const name of [reader, writer]) assert.equal((await exchange(name, token)).status, 401);
    assert.equal((await send(reader, "DELETE", `/v1/vault/credentials/${id}`, { bearer: apiKey })).status, 204);
    assert.deepEqual(await vault.developer(developerId).list(), { credentials: [] });
  });
}
