// npm run bench: this vault beside what a user would write instead, on bare workerd.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../scripts/build.mjs";
import { at, bold, Problem, script } from "../scripts/lib/run.mjs";
import { CASES, tokensFor } from "./lib/cases.mjs";
import { chart } from "./lib/chart.mjs";
import { check } from "./lib/checks.mjs";
import { rounds, summarize } from "./lib/measure.mjs";
import { instantiation, memory, scale, sizes, starts } from "./lib/once.mjs";
import { profile } from "./lib/profile.mjs";
import { printCase, printOnce, printOverview } from "./lib/report.mjs";
import { BASE, TUNED, floorSide, helloJs, helloRs, typescriptSide, vaultSide } from "./lib/sides.mjs";
import { serve } from "./lib/workerd.mjs";
import { populate } from "./lib/world.mjs";

const USAGE = `Measures the vault beside what a user would write instead.

  npm run bench                         everything
  npm run bench -- --quick              less of it, in less than two minutes
  npm run bench -- --only get,list-100  these cases: ${CASES.map(({ name }) => name).join(", ")}

  --connections 1,16,64   how many at once (with --quick or --only: 16)
  --rounds N              rounds of each side, taken in turn
  --seconds N             how long a round is
  --build DIR             the vault as built there, instead of building it
  --against DIR           another build of the vault as one more side
  --sides a,b             the vault and these sides only
  --profile CASE          where the vault's time goes in this case, instead of measuring
  --help                  this text`;

const OPTIONS = {
  quick: { type: "boolean" },
  only: { type: "string" },
  connections: { type: "string" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  build: { type: "string" },
  against: { type: "string" },
  sides: { type: "string" },
  profile: { type: "string" },
  help: { type: "boolean", short: "h" },
};

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new Problem(`${error.message}\n\n${USAGE}`);
  }
}

const csv = (text) => text?.split(",").map((one) => one.trim()).filter(Boolean);

/** New tokens in a round, which ends when they are used up. */
const NEW_TOKENS = 4000;

/** What is to be measured, from the command line. `part`: not everything, so nothing is written. */
function plan(options) {
  const only = csv(options.profile ?? options.only);
  const unknown = (only ?? []).filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0) throw new Problem(`There is no case ${unknown.join(", ")}.\n\n${USAGE}`);
  const short = options.quick || only;
  return {
    quick: options.quick,
    part: Boolean(only || options.against || options.sides || options.connections),
    cases: CASES.filter(({ name }) => !only || only.includes(name)),
    sides: csv(options.sides),
    connections: csv(options.connections)?.map(Number) ?? (short ? [16] : [1, 16, 64]),
    rounds: Number(options.rounds ?? (options.quick ? 3 : 5)),
    seconds: Number(options.seconds ?? (options.quick ? 0.4 : short ? 1 : 2)),
  };
}

/** Starts the sides, fills and checks them. */
async function startSides(servers, directory, { cases, sides }, vaults) {
  const wanted = (name) => !sides || sides.includes(name);
  const add = async (side) => (servers[side.name] = Object.assign(await serve(join(directory, side.name), side), { side }));
  for (const side of [
    ...vaults,
    await typescriptSide(BASE, "TypeScript", "sealed.ts", directory),
    await typescriptSide(TUNED, "TypeScript, tuned", "tuned.ts", directory),
  ]) {
    if (side !== vaults[0] && !wanted(side.name)) continue;
    const server = await add(side);
    await populate(server);
    await check(side.name, server);
  }
  if (wanted("floor")) {
    const { vault } = servers;
    const asked = {};
    for (const one of cases) asked[one.name] = one.ask(vault.developers, 0, await tokensFor(one, 1));
    const floor = await add(await floorSide(directory, vault, asked));
    await floor.control("load", await vault.control("dump"));
    Object.assign(floor, { developers: vault.developers, floor: true });
  }
}

/** Rounds of load: every case at every number of connections. */
async function loads(servers, what) {
  const titles = titlesOf(Object.values(servers).map(({ side }) => side));
  const base = servers[BASE] ? BASE : "vault";
  const results = {};
  for (const connections of what.connections) {
    const ofCases = (results[connections] = {});
    console.log(`\n${bold(`━━ ${connections} connection${connections === 1 ? "" : "s"}, ${what.rounds} rounds of ${what.seconds} s`)}`);
    // What the others tell doesn't depend on the number of connections.
    const taking = connections === 16 || what.part ? servers : { vault: servers.vault, [BASE]: servers[BASE] };
    for (const one of what.cases) {
      const newTokens = Math.min(NEW_TOKENS, NEW_TOKENS * what.seconds);
      ofCases[one.name] = summarize(await rounds(one, taking, { ...what, connections, newTokens }), base);
      printCase(one, ofCases[one.name], titles, base);
    }
  }
  return results;
}

/** What is measured beside load on the API. */
async function once(directory, what, vault, typescript) {
  const rust = await helloRs();
  const hello = {};
  const servers = {};
  try {
    for (const side of [helloJs, rust, vault]) servers[side.name] = await serve(join(directory, `hello-${side.name}`), side);
    const one = { name: "hello", ask: () => ["GET", "/health"] };
    Object.assign(hello, summarize(await rounds(one, servers, { ...what, connections: 16 }), helloJs.name));
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
  return {
    hello,
    sizes: sizes([vault, typescript, rust]),
    starts: await starts(directory, [vault, typescript, rust, helloJs], what.quick ? 3 : 9),
    instantiation: await instantiation(directory, vault.modules["index_bg.wasm"]),
    memory: await memory(directory, [vault, typescript], what.quick ? 5_000 : 100_000),
    scale: await scale(directory, [vault, typescript], what.quick ? [100, 5_000] : [100, 10_000, 100_000], what),
  };
}

/** Where the vault's time goes in one case. */
async function showProfile(directory, vault, one, seconds) {
  const server = await serve(join(directory, "profile"), { ...vault, inspector: true });
  try {
    await populate(server);
    const { requests, functions, profile: taken } = await profile(one, server, { connections: 16, seconds });
    const file = join(resultsFolder(), `${one.name}.cpuprofile`);
    writeFileSync(file, JSON.stringify(taken));
    console.log(`${bold(one.title)}: ${requests} calls; µs of each call in a function itself, of the functions that take most`);
    for (const { name, microseconds } of functions.slice(0, 40)) console.log(`${microseconds.toFixed(1).padStart(9)}  ${name}`);
    console.log(`For the profile viewer of a Chromium's developer tools: ${file}`);
  } finally {
    await server.stop();
  }
}

const titlesOf = (sides) => Object.fromEntries(sides.map(({ name, title }) => [name, title]));

function machine() {
  return { processor: cpus()[0]?.model, processors: availableParallelism(), system: process.platform, workerd: createRequire(import.meta.url)("workerd").version, node: process.version };
}

function resultsFolder() {
  const folder = at("bench", "results");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Writes what README and later runs look at. */
function write(results, quick) {
  const folder = resultsFolder();
  writeFileSync(join(folder, quick ? "quick.json" : "latest.json"), `${JSON.stringify(results, null, 1)}\n`);
  if (quick) return;
  const bars = CASES.map(({ name, title }) => ({ title, ...results.loads[16][name].vault.ratio, tuned: results.loads[16][name][TUNED].ratio.median }));
  const subtitle = "16 connections, on bare workerd with one in-memory KV; whiskers: the least and the most of all rounds";
  writeFileSync(join(folder, "chart.svg"), chart(bars, subtitle));
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(USAGE);
  const what = plan(options);
  if (!options.build) await build();
  const vaults = [vaultSide("vault", "this vault", resolve(options.build ?? at("build")))];
  if (options.against) vaults.push(vaultSide("against", "the other vault", resolve(options.against)));

  const directory = mkdtempSync(join(tmpdir(), "grant-vault-bench-"));
  const servers = {};
  try {
    if (options.profile) return await showProfile(directory, vaults[0], what.cases[0], 3);
    await startSides(servers, directory, what, vaults);
    const results = { date: new Date().toISOString().slice(0, 10), machine: machine(), rounds: what.rounds, seconds: what.seconds, loads: await loads(servers, what) };
    for (const [connections, ofCases] of Object.entries(results.loads)) if (servers[BASE]) printOverview(what.cases, ofCases, connections);
    if (what.part) return;
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    Object.assign(results, await once(directory, what, vaults[0], servers[BASE].side));
    printOnce(results, { ...titlesOf([helloJs, ...Object.values(servers).map(({ side }) => side)]), "hello-rs": "workers-rs hello" });
    write(results, what.quick);
  } catch (error) {
    for (const { side, child } of Object.values(servers)) console.error(`${side.title}:\n${child.log().split("\n").slice(-20).join("\n")}`);
    throw error;
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

await script(main);
