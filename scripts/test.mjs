// npm test: set-up, build, then every suite, or those named: npm test -- http python.

import { existsSync, readdirSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { build } from "./build.mjs";
import { buildPackage } from "./build-npm.mjs";
import { at, bold, green, isMain, nodeBinary, Problem, red, run, script, seconds, toolEnv, wranglerCommand } from "./lib/run.mjs";
import { cargoProgram } from "./lib/setup.mjs";

/**
 * The suites, in the order they run.
 * @type {{name: string, title: string, prepare?: () => Promise<unknown>, command: () => string[]}[]}
 */
const SUITES = [
  { name: "rust", title: "the crate, native: cargo test", command: () => ["cargo", "test", "--locked"] },
  { name: "scripts", title: "the npm scripts", command: () => nodeTests("scripts") },
  { name: "deploy", title: "wrangler deploy --dry-run", command: () => wranglerCommand("deploy", "--dry-run") },
  { name: "http", title: "the built Worker over HTTP, in workerd", command: () => nodeTests("tests/http") },
  { name: "contract", title: "www/openapi.json, and the built Worker against it", command: () => nodeTests("tests/contract") },
  { name: "console", title: "the console, in Chromium", command: () => nodeTests("tests/console") },
  { name: "npm", title: "the npm package, packed and installed", prepare: buildPackage, command: () => nodeTests("tests/npm") },
  { name: "supply", title: "what the project is made of, and that its build can be repeated", prepare: () => cargoProgram("cargo-deny"), command: () => nodeTests("tests/supply") },
  { name: "endurance", title: "kills and overload", command: () => nodeTests("tests/endurance") },
  { name: "fuzz", title: "a minute of each fuzz target", command: () => [nodeBinary(), existing("scripts/fuzz.mjs")] },
  { name: "python", title: "Grantex's Python SDK against the built Worker", command: () => [nodeBinary(), existing("tests/python/run.mjs")] },
];

/** How long a test file may take before it counts as hanging, in milliseconds. */
const PATIENCE = 10 * 60_000;

/** The command that runs a folder's *.test.mjs, one file at a time. */
function nodeTests(folder) {
  const names = existsSync(at(folder)) ? readdirSync(at(folder)).filter((name) => name.endsWith(".test.mjs")).sort() : [];
  if (names.length === 0) throw new Problem(`There is no ${folder}/*.test.mjs.`);
  return [nodeBinary(), "--test", "--test-concurrency=1", `--test-timeout=${PATIENCE}`, "--test-reporter=spec", ...names.map((name) => `${folder}/${name}`)];
}

function existing(path) {
  if (!existsSync(at(path))) throw new Problem(`There is no ${path}.`);
  return path;
}

/**
 * How many tests passed and failed, from what cargo test, node --test, unittest or pytest print. A suite
 * that counts nothing is one test.
 * @param {string} text
 * @param {number} code the suite's exit code
 */
export function countTests(text, code) {
  const plain = stripVTControlCharacters(text);
  const sum = (pattern) => [...plain.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  let passed = sum(/^test result: .*? (\d+) passed/gm) + sum(/^. pass (\d+)$/gmu) + sum(/^=*.*?\b(\d+) passed\b.* in [\d.]+s/gm);
  let failed = sum(/^test result: .*? (\d+) failed/gm) + sum(/^. (?:fail|cancelled) (\d+)$/gmu) + sum(/^=*.*?\b(\d+) failed\b.* in [\d.]+s/gm);
  const unittestFailed = sum(/^FAILED \(.*?failures=(\d+)/gm) + sum(/^FAILED \(.*?errors=(\d+)/gm);
  failed += unittestFailed;
  passed += Math.max(0, sum(/^Ran (\d+) tests? in /gm) - unittestFailed);
  if (code !== 0 && failed === 0) failed = 1;
  if (code === 0 && passed === 0) passed = 1;
  return { passed, failed };
}

/** Runs one piece of work under a heading. @returns {Promise<object>} its line of the summary */
async function suite(name, title, work) {
  console.log(`\n${bold(`── ${name}: ${title} ${"─".repeat(Math.max(2, 74 - name.length - title.length))}`)}`);
  const begin = performance.now();
  let text = "";
  let code = 1;
  try {
    code = await work((chunk) => (text += chunk));
  } catch (error) {
    console.error(error instanceof Problem ? `${red("error:")} ${error.message}` : error);
  }
  const result = { name, code, time: performance.now() - begin, ...countTests(text, code) };
  console.log(`${code === 0 ? green("✓") : red("✗")} ${name} (${seconds(result.time)})`);
  return result;
}

async function main(names) {
  const unknown = names.filter((name) => !SUITES.some((one) => one.name === name));
  if (unknown.length > 0) throw new Problem(`No suite is called ${unknown.join(" or ")}. There are: ${SUITES.map(({ name }) => name).join(", ")}.`);
  const chosen = SUITES.filter(({ name }) => names.length === 0 || names.includes(name));

  await build();
  const colours = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: "1", CARGO_TERM_COLOR: "always" } : {};
  const results = [];
  for (const { name, title, prepare, command } of chosen) {
    const work = async (tee) => {
      await prepare?.();
      return run(command(), { tee, env: toolEnv(colours) });
    };
    results.push(await suite(name, title, work));
  }

  console.log(`\n${bold("Summary")}`);
  for (const { name, code, passed, failed, time } of results) {
    const counts = `${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed`;
    console.log(`${code === 0 ? green("✓") : red("✗")} ${name.padEnd(10)} ${counts}   ${seconds(time)}`);
  }
  const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
  console.log(`${total("passed")} passed, ${total("failed")} failed`);
  return results.every(({ code }) => code === 0) ? 0 : 1;
}

if (isMain(import.meta)) await script(() => main(process.argv.slice(2)));
