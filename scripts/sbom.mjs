// npm run sbom: a bill of materials in CycloneDX 1.5, build/sbom.json. Every crate of Cargo.lock and every
// package of package-lock.json, with its version, licence and checksum; what isn't deployed with the
// Worker is marked as excluded.

import { mkdirSync } from "node:fs";
import { at, isMain, output, Problem, readIfThere, script, writeWhole } from "./lib/run.mjs";

const FILE = at("build", "sbom.json");
const TARGET = "wasm32-unknown-unknown";
/** The target graph of a release: no tests, no build-time programs. */
const DEPLOYED = ["tree", "--locked", "--target", TARGET, "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];

const known = (value) => (value ? value : undefined);

function ask(command) {
  const text = output(command);
  if (text === undefined) throw new Problem(`\`${command.slice(0, 3).join(" ")}\` failed: run it by itself to see why.`);
  return text;
}

/** The crates of Cargo.lock: [{name, version, checksum}]; the crate itself and its like have no checksum. */
export function lockedCrates(lock) {
  return [...lock.matchAll(/^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"\n(?:source = "[^"]+"\nchecksum = "([^"]+)")?/gm)].map(
    ([, name, version, checksum]) => ({ name, version, checksum }),
  );
}

/** The crates as components. */
function crates() {
  const { packages } = JSON.parse(ask(["cargo", "metadata", "--locked", "--format-version", "1"]));
  const licences = new Map(packages.map(({ name, version, license }) => [`${name} ${version}`, license]));
  const deployed = new Set(ask(["cargo", ...DEPLOYED]).split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")));
  return lockedCrates(readIfThere(at("Cargo.lock")).replaceAll("\r\n", "\n")).filter(({ checksum }) => checksum).map(({ name, version, checksum }) => ({
    type: "library",
    name,
    version,
    "bom-ref": `pkg:cargo/${name}@${version}`,
    purl: `pkg:cargo/${name}@${version}`,
    scope: deployed.has(`${name} v${version}`) ? "required" : "excluded",
    hashes: [{ alg: "SHA-256", content: checksum }],
    licenses: known(licences.get(`${name} ${version}`)) && [{ expression: licences.get(`${name} ${version}`).replaceAll("/", " OR ") }],
  }));
}

/** The npm packages as components: tools of the build and the tests, none of which is deployed. */
function npmPackages() {
  const { packages } = JSON.parse(readIfThere(at("package-lock.json")));
  const components = Object.entries(packages).filter(([path]) => path.includes("node_modules/")).map(([path, { name, version, license, integrity }]) => {
    const called = name ?? path.split("node_modules/").at(-1);
    const purl = `pkg:npm/${called.replace("@", "%40")}@${version}`;
    const [, algorithm, hash] = /^sha(\d+)-(.+)$/.exec(integrity ?? "") ?? [];
    return {
      type: "library",
      name: called,
      version,
      "bom-ref": purl,
      purl,
      scope: "excluded",
      hashes: algorithm && [{ alg: `SHA-${algorithm}`, content: Buffer.from(hash, "base64").toString("hex") }],
      licenses: known(license) && [{ license: { name: license } }],
    };
  });
  return [...new Map(components.map((component) => [component.purl, component])).values()];
}

/** The whole document. */
export function billOfMaterials() {
  const { name, version } = JSON.parse(readIfThere(at("package.json")));
  const component = { type: "application", name, version, "bom-ref": `pkg:cargo/${name}@${version}`, licenses: [{ expression: "MIT OR Apache-2.0" }] };
  const components = [...crates(), ...npmPackages()];
  return { $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { component }, components };
}

async function main() {
  const bill = billOfMaterials();
  mkdirSync(at("build"), { recursive: true });
  writeWhole(FILE, `${JSON.stringify(bill, null, 2)}\n`);
  const deployed = bill.components.filter(({ scope }) => scope === "required").length;
  console.log(`build/sbom.json: ${bill.components.length} components, ${deployed} of them deployed`);
}

if (isMain(import.meta)) await script(main);
