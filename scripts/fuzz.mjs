// npm run fuzz: every target of fuzz/, a minute each, as many at a time as there are processors. A longer
// look, or some targets only: npm run fuzz -- 600 http token.

import { mkdirSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { at, green, isMain, must, output, Problem, red, run, script, step, toolEnv } from "./lib/run.mjs";
import { cargoProgram } from "./lib/setup.mjs";

const TARGETS = readdirSync(at("fuzz", "fuzz_targets")).map((name) => name.replace(/\.rs$/, "")).sort();
/** What is found beyond the kept corpus: it makes the next run on this machine start further on. */
const FOUND = at("target", "fuzz-corpus");
/** Where inputs that break something are put. */
const ARTIFACTS = at("fuzz", "artifacts");
/** An input that takes longer hangs, in seconds; one that takes more memory leaks, in MB. */
const LIMITS = ["-timeout=30", "-rss_limit_mb=2048"];

/**
 * How far libFuzzer got: executions and the edges that they covered, from what it prints.
 * @param {string} text
 */
export function progress(text) {
  const executions = Number(/^stat::number_of_executed_units: (\d+)/m.exec(text)?.[1] ?? 0);
  const coverage = Math.max(0, ...[...text.matchAll(/^#\d+\s.*\bcov: (\d+)/gm)].map(([, edges]) => Number(edges)));
  return { executions, coverage };
}

/** Builds every target: with the stable toolchain, which knows what libFuzzer needs when told that it may. */
async function compile() {
  const cargoFuzz = await cargoProgram("cargo-fuzz");
  // Without a sanitizer: the code under test forbids `unsafe`, and is twice as fast.
  await step("fuzz targets: cargo fuzz build", () => must([cargoFuzz, "build", "--sanitizer", "none"], { quiet: true, env: toolEnv({ RUSTC_BOOTSTRAP: "1" }) }));
}

/** Runs one target. @returns {Promise<boolean>} whether nothing was found */
async function fuzz(target, seconds) {
  for (const folder of [FOUND, ARTIFACTS]) mkdirSync(`${folder}/${target}`, { recursive: true });
  let text = "";
  const program = at("fuzz", "target", output(["rustc", "--print", "host-tuple"]), "release", target);
  const code = await run(
    [
      program, `${FOUND}/${target}`, at("fuzz", "corpus", target), `-max_total_time=${seconds}`, ...LIMITS,
      `-dict=${at("fuzz", "dictionaries", "words.dict")}`, `-artifact_prefix=${ARTIFACTS}/${target}/`, "-print_final_stats=1",
    ],
    { quiet: true, tee: (chunk) => (text += chunk) },
  );
  const { executions, coverage } = progress(text);
  console.log(`${code === 0 ? green("✓") : red("✗")} ${target}: ${executions} executions, ${coverage} edges`);
  if (code !== 0) console.log(`  The input is in fuzz/artifacts/${target}/: ${program} <input> runs it again.`);
  return code === 0;
}

async function main(args) {
  const seconds = /^\d+$/.test(args[0] ?? "") ? Number(args.shift()) : 60;
  const unknown = args.filter((name) => !TARGETS.includes(name));
  if (unknown.length > 0) throw new Problem(`There is no target ${unknown.join(" or ")}: there are ${TARGETS.join(", ")}.`);
  const waiting = args.length > 0 ? args : [...TARGETS];
  await compile();
  const outcomes = [];
  const worker = async () => {
    for (let target = waiting.shift(); target; target = waiting.shift()) outcomes.push(await fuzz(target, seconds));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const failed = outcomes.filter((good) => !good).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed in ${seconds}s each`);
  return failed === 0 ? 0 : 1;
}

if (isMain(import.meta)) await script(() => main(process.argv.slice(2)));
