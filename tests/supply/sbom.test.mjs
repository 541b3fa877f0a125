// Proves that the bill of materials names every crate and package of the lock files, once, with a version,
// a checksum and, if it is deployed, a licence.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/lib/run.mjs";
import { billOfMaterials } from "../../scripts/sbom.mjs";

const bill = billOfMaterials();
const names = (kind) => bill.components.filter(({ purl }) => purl.startsWith(`pkg:${kind}/`)).map(({ name, version }) => `${name} ${version}`).sort();

test("every crate of Cargo.lock is in it", () => {
  const crates = readFileSync(at("Cargo.lock"), "utf8").split("[[package]]").slice(1).map((text) => {
    const field = (name) => new RegExp(`^${name} = "(.*)"`, "m").exec(text)?.[1];
    return { crate: `${field("name")} ${field("version")}`, source: field("source") };
  });
  assert.deepEqual(names("cargo"), crates.filter(({ source }) => source).map(({ crate }) => crate).sort());
});

test("every package of package-lock.json is in it", () => {
  const { packages } = JSON.parse(readFileSync(at("package-lock.json"), "utf8"));
  const locked = Object.entries(packages).filter(([path]) => path).map(([path, { name, version }]) => `${name ?? path.split("node_modules/").at(-1)} ${version}`);
  assert.deepEqual(names("npm"), [...new Set(locked)].sort());
});

test("each has a version and a checksum, and what is deployed has a licence", () => {
  for (const { purl, scope, version, hashes, licenses } of bill.components) {
    assert.ok(version, purl);
    assert.match(hashes?.[0]?.content ?? "", /^[0-9a-f]{40,128}$/, purl);
    assert.ok(scope === "excluded" || licenses?.[0]?.expression, purl);
  }
  const refs = bill.components.map((component) => component["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length, "each is named once");
});

test("what is deployed is told from what isn't", () => {
  const scope = (name) => bill.components.filter((component) => component.name === name).map((component) => component.scope);
  assert.deepEqual(scope("aes-gcm"), ["required"]);
  for (const name of ["proptest", "criterion", "wrangler", "syn"]) assert.ok(scope(name).every((one) => one === "excluded"), name);
});
