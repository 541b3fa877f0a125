// Set-up: makes a fresh clone ready to build, doing only what is missing.
// Builtin modules only: this runs before the npm packages are there.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { at, must, nodeBinary, output, Problem, readIfThere, step, toolEnv, WINDOWS } from "./run.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";
const WRANGLER_NODE = [22, 12];

/** Brings everything the build, the Worker and the tests need onto the machine. */
export async function setUp() {
  requireRust();
  // npm works on the network and the disk while cargo works on the processors.
  await Promise.all([npmPackages(), rustTools()]);
  requireNodeForWrangler();
}

function requireRust() {
  if (output(["cargo", "--version"]) === undefined) {
    throw new Problem("Rust is not on this machine (or its toolchain can't be used): install it from https://rustup.rs and try again.");
  }
}

// ---------------------------------------------------------------------------------------------
// npm packages

async function npmPackages() {
  const wanted = JSON.parse(readIfThere(at("package-lock.json")) ?? "{}");
  const installed = JSON.parse(readIfThere(at("node_modules", ".package-lock.json")) ?? "null");
  if (packagesMatch(wanted, installed) && existsSync(at("node_modules", "wrangler"))) return;
  if (process.env.WRANGLER_COMMAND) {
    // Called by wrangler's custom build: replacing its packages now would pull them from under it.
    throw new Problem("The npm packages don't match package-lock.json: run `npm ci` first.");
  }
  await step("npm packages: npm ci", () => must([...npmCommand(), "ci", "--no-audit", "--no-fund", "--loglevel=error"], { quiet: true, shell: WINDOWS }));
}

/** The npm that started us, else the one on the PATH. */
function npmCommand() {
  const npm = process.env.npm_execpath;
  return npm && /npm-cli\.c?js$/.test(npm) ? [process.execPath, npm] : ["npm"];
}

/**
 * Whether node_modules holds what package-lock.json asks for: every package at its version, and nothing
 * that is for another platform. Optional packages may be missing: most are for other platforms.
 * @param {{packages?: object}} wanted package-lock.json
 * @param {{packages?: object} | null} installed node_modules/.package-lock.json
 */
export function packagesMatch(wanted, installed, { platform, arch } = process) {
  if (!installed?.packages || !wanted?.packages) return false;
  const allows = (list, value) => !list || list.includes(value);
  return Object.entries(wanted.packages).every(([path, entry]) => {
    const there = installed.packages[path];
    if (path === "") return true;
    if (!there) return entry.optional === true;
    const same = there.version === entry.version && there.integrity === entry.integrity;
    return same && allows(entry.os, platform) && allows(entry.cpu, arch);
  });
}

function requireNodeForWrangler() {
  const version = output([nodeBinary(), "--version"]) ?? "";
  const [major, minor] = version.replace("v", "").split(".").map(Number);
  const [needMajor, needMinor] = WRANGLER_NODE;
  if (!(major > needMajor || (major === needMajor && minor >= needMinor))) {
    throw new Problem(`wrangler needs Node ${WRANGLER_NODE.join(".")} or later, and npm has none for this platform: install one (this is ${version || process.version}).`);
  }
}

// ---------------------------------------------------------------------------------------------
// Rust

async function rustTools() {
  if (!existsSync(output(["rustc", "--print", "target-libdir", "--target", WASM_TARGET]) ?? "")) {
    await step(`Rust target ${WASM_TARGET}: rustup target add`, async () => {
      if (output(["rustup", "--version"]) === undefined) {
        throw new Problem(`This Rust has no ${WASM_TARGET} target and was not installed by rustup: add the target the way this Rust was installed, or use https://rustup.rs.`);
      }
      await must(["rustup", "target", "add", WASM_TARGET], { quiet: true });
    });
  }
  const { workerBuild, wasmBindgen } = toolVersions();
  await cargoTool("worker-build", "worker-build", workerBuild);
  await cargoTool("wasm-bindgen-cli", "wasm-bindgen", wasmBindgen);
  rmSync(at(".tools", "target"), { recursive: true, force: true });
}

/** The versions the build is pinned to. */
export function toolVersions() {
  const { config, devDependencies } = JSON.parse(readIfThere(at("package.json")));
  return {
    workerBuild: config["worker-build"],
    wasmBindgen: lockedVersion(readIfThere(at("Cargo.lock")), "wasm-bindgen"),
    esbuild: devDependencies.esbuild,
    binaryen: devDependencies.binaryen,
  };
}

/**
 * Changes whenever what is built could: every source file and every tool's version goes into it.
 * @param {string[]} sources files and folders; one that isn't there counts as such
 */
export function fingerprint(sources) {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([toolVersions(), output(["rustc", "--version"])]));
  const add = (path) => {
    if (!existsSync(at(path))) return;
    if (statSync(at(path)).isDirectory()) for (const name of readdirSync(at(path)).sort()) add(`${path}/${name}`);
    else hash.update(`\0${path}\0`).update(readFileSync(at(path)));
  };
  sources.forEach(add);
  return hash.digest("hex");
}

/** A crate's version in Cargo.lock: the wasm-bindgen program must be the one of the crate. */
export function lockedVersion(lock, crate) {
  const version = lock?.match(new RegExp(`^name = "${crate}"\\r?\\nversion = "([^"]+)"`, "m"))?.[1];
  if (!version) throw new Problem(`Cargo.lock is missing or names no ${crate}: restore it with git.`);
  return version;
}

/**
 * Where a program of the right version is: in .tools, else on the PATH.
 * @returns {string | undefined}
 */
export function findTool(program, version) {
  const ours = at(".tools", "bin", WINDOWS ? `${program}.exe` : program);
  return [ours, program].find((candidate) => output([candidate, "--version"])?.split(/\s+/).includes(version));
}

/** Installs a program from crates.io in .tools, unless the right version is there. */
async function cargoTool(crate, program, version) {
  if (findTool(program, version)) return;
  await step(`${crate} ${version}: cargo install into .tools (a minute or two)`, () =>
    must(["cargo", "install", crate, "--version", `=${version}`, "--locked", "--debug", "--force", "--bin", program, "--root", at(".tools")], {
      quiet: true,
      // A debug build without debug information: half the time to compile, and fast enough. The target
      // directory is shared by the tools and kept until both are there, so that a broken-off set-up goes on.
      env: toolEnv({ CARGO_PROFILE_DEV_DEBUG: "0", CARGO_TARGET_DIR: at(".tools", "target") }),
    }));
}

/** A cargo subcommand that only some suites need, installed in .tools if need be. @returns {Promise<string>} */
export async function cargoProgram(crate) {
  const version = JSON.parse(readIfThere(at("package.json"))).config[crate];
  await cargoTool(crate, crate, version);
  rmSync(at(".tools", "target"), { recursive: true, force: true });
  return findTool(crate, version);
}

// ---------------------------------------------------------------------------------------------
// Python, for the tests that come as Python packages

/** A virtual environment with a package, in the version of package.json's config. @returns {Promise<string>} its Python */
export async function setUpPython(name) {
  const { config } = JSON.parse(readIfThere(at("package.json")));
  const home = at(".tools", "python");
  const python = join(home, WINDOWS ? "Scripts/python.exe" : "bin/python");
  const version = output([python, "-c", `import importlib.metadata as m; print(m.version('${name}'))`]);
  if (version !== config[name]) {
    await step(`Python package ${name} ${config[name]}: pip install into .tools/python`, async () => {
      const system = ["python3", "python"].find((command) => output([command, "--version"])?.startsWith("Python 3"));
      if (!system) throw new Problem("The Python tests need Python 3 with its venv module (Debian: apt install python3-venv).");
      if (output([python, "--version"]) === undefined) {
        rmSync(home, { recursive: true, force: true });
        await must([system, "-m", "venv", home], { quiet: true });
      }
      await must([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", `${name}==${config[name]}`], { quiet: true });
    });
  }
  return python;
}
