// Proves that no dependency has a known weakness, an unwelcome licence, a second version or another source
// than its registry. What is known is kept on other people's servers: where they can't be reached the
// check is skipped and says so in capitals. VAULT_ADVISORIES=required makes that a failure.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { at, ROOT, toolEnv } from "../../scripts/lib/run.mjs";
import { cargoProgram } from "../../scripts/lib/setup.mjs";

const cargoDeny = await cargoProgram("cargo-deny");

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, env: toolEnv(), encoding: "utf8", timeout: 240_000 });
  return { status, stdout, text: `${stdout}${stderr}` };
}

function unreachable(t, what, text) {
  assert.notEqual(process.env.VAULT_ADVISORIES, "required", `${what} can't be reached:\n${text}`);
  console.error(`\nNOT CHECKED: ${what.toUpperCase()} CAN'T BE REACHED. Known weaknesses would not be noticed here.\n${text.trim().split("\n").at(-1)}\n`);
  t.skip(`${what} can't be reached`);
}

for (const manifest of ["Cargo.toml", "fuzz/Cargo.toml"]) {
  test(`licences, versions and sources of the crates of ${manifest}`, () => {
    const fetched = run("cargo", "fetch", "--locked", "--manifest-path", at(manifest));
    assert.equal(fetched.status, 0, fetched.text);
    const checked = run(cargoDeny, "--manifest-path", at(manifest), "--config", at("deny.toml"), "--offline", "check", "licenses", "bans", "sources");
    assert.equal(checked.status, 0, checked.text);
  });
}

test("known weaknesses of the crates", (t) => {
  const fetched = run(cargoDeny, "fetch", "db");
  if (fetched.status !== 0) return unreachable(t, "the RustSec database", fetched.text);
  const checked = run(cargoDeny, "--offline", "check", "advisories");
  assert.equal(checked.status, 0, checked.text);
});

test("known weaknesses of the npm packages", (t) => {
  const audited = run("npm", "audit", "--json");
  let report;
  try {
    report = JSON.parse(audited.stdout);
  } catch {
    report = undefined;
  }
  if (!report?.vulnerabilities) return unreachable(t, "npm's audit", audited.text);
  assert.deepEqual(Object.keys(report.vulnerabilities), [], audited.stdout);
});
