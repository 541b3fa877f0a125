// The package in Chromium: as a plain ES module, under a strict Content-Security-Policy, and bundled by Vite.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { at, nodeBinary } from "../../scripts/lib/run.mjs";
import { EXPECTED } from "./fixtures/expected.mjs";
import { createServer as createViteServer } from "vite";
import { INSECURE_HOST, launchChromium } from "../support/chromium.mjs";
import { installed, project, roundTripFiles } from "./support/package.mjs";

const PAGE = '<!doctype html><title>trial</title><script type="module" src="./main.js"></script>';
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const main = (from) => `
import * as vault from "${from}";
import { roundTrip } from "./round-trip.mjs";
globalThis.outcome = roundTrip(vault).catch((error) => \`\${error.stack} \${error.cause?.stack}\`);
`;
const PLAIN = "./node_modules/grant-vault/dist/web.js";

let browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser?.close());

/** Serves a folder; `change` may alter an answer's type. */
async function serve(folder, { types = TYPES } = {}) {
  const missing = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://x").pathname.replace(/\/$/, "/index.html");
    const file = join(folder, path);
    if (path === "/favicon.ico") return response.writeHead(204).end();
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      missing.push(path);
      return response.writeHead(404).end();
    }
    return response.writeHead(200, { "Content-Type": types[extname(file)] ?? "text/plain", "Content-Security-Policy": POLICY }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/`, missing };
}

/** Waits for the page's outcome, from outside: its policy forbids what Playwright would wait with inside. */
async function outcomeOf(page, problems) {
  const patience = Date.now() + 20_000;
  while (!(await page.evaluate("globalThis.outcome !== undefined"))) {
    if (Date.now() > patience) assert.fail(problems.join("\n") || "no outcome");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Opens a page; gives what `script` evaluates to there. */
async function visit(url, script) {
  const page = await browser.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  try {
    await page.goto(url);
    await outcomeOf(page, problems);
    const result = await page.evaluate(script);
    return { result, problems };
  } finally {
    await page.close();
  }
}

test("a plain page, as ES modules", async () => {
  const { url, missing } = await serve(project({ ...roundTripFiles(), "index.html": PAGE, "main.js": main(PLAIN) }));
  const { result, problems } = await visit(url, "globalThis.outcome");
  assert.deepEqual([result, problems, missing], [EXPECTED, [], []]);
});

test("a server that doesn't know the type of WebAssembly", async () => {
  const folder = project({ ...roundTripFiles(), "index.html": PAGE, "main.js": main(PLAIN) });
  const { url } = await serve(folder, { types: { ...TYPES, ".wasm": "application/octet-stream" } });
  const { result, problems } = await visit(url, "globalThis.outcome");
  assert.deepEqual([result, problems], [EXPECTED, []]);
});

test("before it is loaded, permits says so; where it can't be loaded, everything does, and init helps", async () => {
  const folder = project({
    "index.html": PAGE,
    "main.js": `
      import { GrantVerifier, Sealer, init } from "${PLAIN}";
      const error = async (work) => { try { await work(); return "nothing thrown"; } catch (thrown) { return thrown.name + " " + thrown.code; } };
      const verifier = new GrantVerifier({ issuer: "x", jwks: { keys: [] } });
      const sealer = new Sealer(new Uint8Array(32));
      const permits = () => verifier.permits({ scopes: ["*"] }, "github");
      const { fetch } = globalThis;
      const outcome = [await error(permits)];
      globalThis.fetch = async () => new Response("", { status: 404 });
      outcome.push(await error(() => sealer.seal("x", "y")), await error(() => init()), await error(permits));
      globalThis.fetch = fetch;
      await init(await (await fetch("./node_modules/grant-vault/dist/grant_vault_bg.wasm")).arrayBuffer());
      outcome.push(permits(), await sealer.open(await sealer.seal("x", "y"), "y"));
      globalThis.outcome = outcome;`,
  });
  const { result } = await visit((await serve(folder)).url, "globalThis.outcome");
  assert.deepEqual(result, ["VaultError NOT_LOADED", "VaultError NOT_LOADED", "VaultError NOT_LOADED", "VaultError NOT_LOADED", true, "x"]);
});

test("a Vite build", async () => {
  const folder = project({ ...roundTripFiles(), "index.html": PAGE, "main.js": main("grant-vault") });
  const vite = [at("node_modules", "vite", "bin", "vite.js"), "build", "--logLevel", "warn", "--target", "esnext"];
  const printed = execFileSync(nodeBinary(), vite, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  assert.doesNotMatch(printed, /warn|error/i);
  const built = readdirSync(join(folder, "dist", "assets"));
  assert.equal(built.filter((name) => name.endsWith(".wasm")).length, 1, built.join(" "));
  const { url, missing } = await serve(join(folder, "dist"));
  const { result, problems } = await visit(url, "globalThis.outcome");
  assert.deepEqual([result, problems, missing], [EXPECTED, [], []]);
});

test("Vite's development server", async () => {
  const folder = project({ ...roundTripFiles(), "index.html": PAGE.replace("<title>", '<link rel="icon" href="data:,"><title>'), "main.js": main("grant-vault") });
  const vite = await createViteServer({ root: folder, server: { host: "127.0.0.1", port: 0 }, logLevel: "warn" });
  try {
    await vite.listen();
    const { result, problems } = await visit(vite.resolvedUrls.local[0], "globalThis.outcome");
    assert.deepEqual([result, problems], [EXPECTED, []]);
  } finally {
    await vite.close();
  }
});

test("a page without crypto.subtle: not served over https", async () => {
  const { issuer, jwks, signGrant } = await installed();
  const token = await signGrant({ developerId: "dev_1", principalId: "user_1", scopes: ["github:read"] });
  const forged = token.replace(/.{4}$/, (end) => (end === "AAAA" ? "BBBB" : "AAAA"));
  const folder = project({
    "index.html": PAGE,
    "main.js": `
      import { GrantVerifier, Sealer } from "${PLAIN}";
      const verifier = new GrantVerifier(${JSON.stringify({ issuer, jwks })});
      const sealer = new Sealer(new Uint8Array(32));
      const { principalId } = await verifier.verify("${token}");
      const refusal = await verifier.verify("${forged}").catch((error) => error.code);
      globalThis.outcome = [isSecureContext, typeof crypto.subtle, principalId, refusal, await sealer.open(await sealer.seal("x", "y"), "y")];`,
  });
  const { url } = await serve(folder);
  const { result } = await visit(url.replace("127.0.0.1", INSECURE_HOST), "globalThis.outcome");
  assert.deepEqual(result, [false, "undefined", "user_1", "UNAUTHORIZED", "x"]);
});

test("the client alone doesn't load the core", async () => {
  const folder = project({
    "index.html": PAGE,
    "main.js": `
      import { VaultClient } from "${PLAIN}";
      const client = new VaultClient({ baseUrl: location.origin, apiKey: "x", maxRetries: 0 });
      const error = await client.list().catch((thrown) => thrown);
      globalThis.outcome = [error.code, performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".wasm")).length];`,
  });
  const { result } = await visit((await serve(folder)).url, "globalThis.outcome");
  assert.deepEqual(result, ["NOT_FOUND", 0]);
});
