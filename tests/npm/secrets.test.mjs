// Proves that the core keeps no secret in its memory once a call is over, where a bug in a later call could
// read it. What JavaScript itself still holds is the program's own affair.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at, nodeBinary } from "../../scripts/lib/run.mjs";
import { fixture, project, readmeIssuer } from "./support/package.mjs";

test("no token, key or reference is left in the core's memory", () => {
  const pieces = readFileSync(at("tests", "support", "pieces.mjs"), "utf8");
  const folder = project({
    "issuer.mjs": readmeIssuer(),
    "pieces.mjs": pieces,
    "instances.mjs": fixture("instances.mjs"),
    "secrets.mjs": fixture("secrets.mjs"),
  });
  const { left, found } = JSON.parse(execFileSync(nodeBinary(), ["secrets.mjs"], { cwd: folder, encoding: "utf8" }));
  assert.deepEqual(found, ["the root key"], "what is kept on purpose is found, so the search finds");
  assert.deepEqual(left, []);
});
