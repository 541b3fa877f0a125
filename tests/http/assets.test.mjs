// Proves that the Worker serves the static files of build/www with its own headers, and nothing else of the
// machine; and that the API's paths are never files.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { assertStatus, serveVault } from "./harness.mjs";

const www = fileURLToPath(new URL("../../build/www/", import.meta.url));
const vault = await serveVault({ assets: www });

test("/ is the console's index.html, with a policy of its own", async () => {
  const { headers, text } = assertStatus(await vault.send("GET", "/", { page: true }), 200);
  assert.equal(text, readFileSync(`${www}index.html`, "utf8"));
  assert.match(headers["content-type"], /^text\/html\b/);
  const policy = headers["content-security-policy"];
  assert.ok(policy, "a page has a Content-Security-Policy");
  assert.doesNotMatch(policy, /'unsafe-inline'|'unsafe-eval'|\*/);
  assert.match(policy, /default-src '(none|self)'/);
  assert.match(policy, /frame-ancestors 'none'/);
});

test("HEAD / has the same headers", async () => {
  const { headers } = assertStatus(await vault.send("HEAD", "/", { page: true }), 200);
  assert.match(headers["content-type"], /^text\/html\b/);
  assert.ok(headers["content-security-policy"]);
});

test("a file that hasn't changed is not sent again", async () => {
  const { headers } = await vault.send("GET", "/", { page: true });
  const again = await vault.send("GET", "/", { page: true, headers: { "If-None-Match": headers.etag } });
  assert.equal(assertStatus(again, 304).text, "");
});

test("a file takes GET and HEAD only", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const { headers } = assertStatus(await vault.send(method, "/"), 405, method);
    assert.equal(headers.allow, "GET, HEAD");
  }
});

test("a path without a file is 404, as JSON", async () => {
  const paths = [
    "/nothing",
    "/nothing/",
    "/nothing.html",
    "/index.html/x",
    "/.dev.vars",
    "/..%2fwrangler.toml",
    "/%2e%2e%2fCargo.toml",
    "/v2",
    "/%00",
    "/%zz",
    "/v1/index.html",
  ];
  for (const path of paths) assertStatus(await vault.send("GET", path), 404, path);
});

test("other spellings of /index.html lead to it or nowhere", async () => {
  for (const path of ["/index.html", "/index", "/./", "/x/..", "//"]) {
    const { status, headers } = await vault.send("GET", path, { page: true });
    if (status >= 300 && status < 400) assert.equal(headers.location, "/", path);
    else assert.ok([200, 404].includes(status), `${path}: ${status}`);
  }
});

test("the API answers beside the files, and its paths are never files", async () => {
  assertStatus(await vault.send("GET", "/health"), 200);
  assertStatus(await vault.send("GET", "/v1/me"), 401);
  assertStatus(await vault.send("GET", "/v1/nothing"), 404);
});
