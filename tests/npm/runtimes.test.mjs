// The packed package in every runtime that runs programs: import, require, and no flags.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { EXPECTED } from "./fixtures/expected.mjs";
import { project, roundTripFiles } from "./support/package.mjs";
import { nodes, runtime } from "./support/runtimes.mjs";

const ESM = `
import * as vault from "grant-vault";
import { roundTrip } from "./round-trip.mjs";
console.log(JSON.stringify(await roundTrip(vault)));
`;
const CJS = `
const vault = require("grant-vault");
import("./round-trip.mjs").then(({ roundTrip }) => roundTrip(vault)).then((result) => console.log(JSON.stringify(result)));
`;
const BOTH = `
import { VaultError } from "grant-vault";
import { createRequire } from "node:module";
console.log(createRequire(import.meta.url)("grant-vault").VaultError === VaultError);
`;

const folder = project({ ...roundTripFiles(), "esm.mjs": ESM, "common.cjs": CJS, "both.mjs": BOTH });

function run(command, cwd = folder) {
  const [program, ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, `${command.join(" ")}: ${stderr}`);
  assert.equal(stderr, "", "nothing on stderr, warnings included");
  return JSON.parse(stdout);
}

for (const { version, path } of nodes()) {
  test(`Node ${version}: import`, () => assert.deepEqual(run([path, "esm.mjs"]), EXPECTED));
  test(`Node ${version}: require`, () => assert.deepEqual(run([path, "common.cjs"]), EXPECTED));
  test(`Node ${version}: import and require give one package`, () => assert.equal(run([path, "both.mjs"]), true));
}

for (const [name, args] of [["deno", ["run"]], ["bun", []]]) {
  const program = runtime(name);
  const skip = program ? false : `NOT TESTED: the npm package ${name} can't be installed or run here`;
  test(`${name}: import, without flags`, { skip }, () => assert.deepEqual(run([program, ...args, "esm.mjs"]), EXPECTED));
  // Deno's require takes what is meant for Node, which reads the file system: there that needs a flag.
  if (name === "bun") test(`${name}: require`, { skip }, () => assert.deepEqual(run([program, ...args, "common.cjs"]), EXPECTED));
}
