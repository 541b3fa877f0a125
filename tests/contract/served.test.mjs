// The contract is served as it is in www/, and as it says itself.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/lib/run.mjs";
import { assertStatus, serveVault } from "../http/harness.mjs";

const vault = await serveVault({ assets: at("build", "www") });

test("/openapi.json is www/openapi.json", async () => {
  const { headers, text } = assertStatus(await vault.send("GET", "/openapi.json", { page: true }), 200);
  assert.equal(text, readFileSync(at("www", "openapi.json"), "utf8"));
  assert.equal(headers["content-type"], "application/json");
});

test("it takes GET and HEAD, and isn't sent again to who has it", async () => {
  const { headers } = assertStatus(await vault.send("HEAD", "/openapi.json", { page: true }), 200);
  const again = await vault.send("GET", "/openapi.json", { page: true, headers: { "If-None-Match": headers.etag } });
  assert.equal(assertStatus(again, 304).text, "");
  const refused = assertStatus(await vault.send("POST", "/openapi.json", { json: {} }), 405);
  assert.equal(refused.headers.allow, "GET, HEAD");
});
