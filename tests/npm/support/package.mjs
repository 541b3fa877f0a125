// The packed package, installed as anybody would install it: into a project in a folder of its own,
// from the tarball, without the network.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { at, toolEnv, WINDOWS } from "../../../scripts/lib/run.mjs";

const FIXTURES = at("tests", "npm", "fixtures");

const folders = [];
process.once("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), "grant-vault-npm-"));
  folders.push(folder);
  return folder;
}

const npm = (cwd, ...args) => execFileSync("npm", args, { cwd, encoding: "utf8", env: toolEnv(), shell: WINDOWS, stdio: ["ignore", "pipe", "pipe"] });

let packed;

/** What `npm pack` makes of pkg/: {path, size, files}. */
export function pack() {
  if (!packed) {
    const folder = temporary();
    const parsed = JSON.parse(npm(at("pkg"), "pack", "--json", "--pack-destination", folder));
    const { filename, size, files } = Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
    packed = { path: join(folder, filename), size, files: files.map(({ path }) => path) };
  }
  return packed;
}

/**
 * A project with the package installed, and nothing else.
 * @param {Record<string, string>} files what it holds, by path
 * @param {{type?: string, from?: string, link?: string[]}} options `from`: a folder that is copied first;
 * `link`: the repository's own packages that it has beside this one
 */
export function project(files = {}, { type = "module", from, link = [] } = {}) {
  const folder = temporary();
  if (from) cpSync(from, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "scratch", private: true, type }));
  npm(folder, "install", pack().path, "--offline", "--no-audit", "--no-fund", "--ignore-scripts");
  for (const name of link) {
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true });
    symlinkSync(at("node_modules", name), join(folder, "node_modules", name), "junction");
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export const fixture = (name) => readFileSync(join(FIXTURES, name), "utf8");

/** The code blocks of the package's README: [{language, code, line}]. */
export function readmeBlocks() {
  const text = readFileSync(at("npm", "README.md"), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language, 2: code, index }) => ({
    language, code, line: text.slice(0, index).split("\n").length,
  }));
}

/** The README's issuer, issuer.mjs. */
export const readmeIssuer = () => readmeBlocks().find(({ code }) => code.startsWith("// issuer.mjs")).code;

/** What every runtime is tried with: round-trip.mjs and the issuer that it imports. */
export const roundTripFiles = () => ({ "issuer.mjs": readmeIssuer(), "round-trip.mjs": fixture("round-trip.mjs") });

/** The installed package and the README's issuer, for tests in this process. */
export async function installed() {
  const folder = project({ "index.mjs": 'export * from "grant-vault";\n', "issuer.mjs": readmeIssuer() });
  const load = (name) => import(pathToFileURL(join(folder, name)).href);
  return { ...(await load("index.mjs")), ...(await load("issuer.mjs")), folder };
}
