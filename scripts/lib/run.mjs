// What every script shares: where things are, how commands are run, how progress is shown.
// Builtin modules only: this runs before the npm packages are there.

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const WINDOWS = process.platform === "win32";

/** A path inside the repository. */
export const at = (...parts) => join(ROOT, ...parts);

/** A problem the developer can do something about: it is shown without a stack trace. */
export class Problem extends Error {}

// ---------------------------------------------------------------------------------------------
// Progress

const colour = (process.stdout.isTTY || process.env.FORCE_COLOR) && !process.env.NO_COLOR;
const paint = (code) => (text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

/** "0.4 s", "12 s", "3 min 05 s" */
export function seconds(milliseconds) {
  const s = milliseconds / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/**
 * Runs one step: a line when it starts, a line with its time when it is done.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const start = performance.now();
  console.log(dim(`… ${title}`));
  try {
    const result = await work();
    console.log(`${green("✓")} ${title} ${dim(`(${seconds(performance.now() - start)})`)}`);
    return result;
  } catch (error) {
    if (!ending) console.log(`${red("✗")} ${title} ${dim(`(${seconds(performance.now() - start)})`)}`);
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------
// Commands

/**
 * The environment for commands: the npm packages' own programs first (among them a Node that is new
 * enough for wrangler), then the machine's, then rustup's usual place for a shell that hasn't it yet.
 */
export function toolEnv(extra = {}) {
  const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "bin");
  const env = { ...process.env };
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATH") ?? "PATH";
  env[name] = [at("node_modules", ".bin"), env[name], cargoBin].filter(Boolean).join(delimiter);
  return { ...env, ...extra };
}

/**
 * What rustc is told so that its panic messages, which name source files, don't say where these lie on the
 * machine: two builds of the same sources are the same, wherever they are made; and `more`, flags of the
 * build's own. For CARGO_ENCODED_RUSTFLAGS.
 */
export function rustFlags(...more) {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  return [`--remap-path-prefix=${join(cargoHome, "registry", "src")}=crates`, `--remap-path-prefix=${ROOT}=.`, ...more].join("\x1f");
}

/** The Node that runs wrangler and the tests: the npm package's when there is one. */
export function nodeBinary() {
  const packaged = at("node_modules", ".bin", WINDOWS ? "node.exe" : "node");
  return existsSync(packaged) ? packaged : process.execPath;
}

/** The program of an npm package. */
export const npmProgram = (name) => at("node_modules", ".bin", WINDOWS ? `${name}.cmd` : name);

/** The command line that starts wrangler: [program, ...arguments]. */
export const wranglerCommand = (...args) => [nodeBinary(), at("node_modules", "wrangler", "bin", "wrangler.js"), ...args];

/**
 * What a short command prints, or undefined when it can't be run or fails.
 * @param {string[]} command
 */
export function output([program, ...args], env = toolEnv()) {
  const done = spawnSync(program, args, { cwd: ROOT, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return done.status === 0 ? done.stdout.trim() : undefined;
}

/** The children that run now, and whether we are ending them. */
const children = new Set();
let ending = false;

/**
 * Starts a command. It leads a process group of its own, so that nothing of it outlives us, unless it
 * must talk to the terminal (`detached: false`).
 */
export function start([program, ...args], { detached = !WINDOWS, ...options } = {}) {
  const child = spawn(program, args, { cwd: ROOT, env: toolEnv(), detached, ...options });
  child.signal = (signal) => {
    try {
      return detached ? process.kill(-child.pid, signal) : child.exitCode === null && child.signalCode === null && child.kill(signal);
    } catch {
      return false;
    }
  };
  children.add(child);
  /** @type {Promise<number>} */
  child.ended = new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve(exitCode(code, signal)));
    child.once("error", (error) => {
      if (child.pid === undefined) children.delete(child);
      reject(error.code === "ENOENT" ? new Problem(`${program} is not on this machine.`) : error);
    });
  });
  child.ended.catch(() => {});
  return child;
}

/** The status a shell would report. */
export const exitCode = (code, signal) => code ?? 128 + (constants.signals[signal] ?? 0);

/** Ends a child and its descendants: asks first, insists after `patience` milliseconds. */
export async function stop(child, signal = "SIGTERM", patience = 4000) {
  if (child.pid === undefined) return;
  const gone = async (milliseconds) => {
    const deadline = Date.now() + milliseconds;
    while (child.signal(0) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    return !child.signal(0);
  };
  child.signal(signal);
  if (!(await gone(patience))) {
    child.signal("SIGKILL");
    await gone(500); // what is still there now is dead, and only waits for the system to take note
  }
  children.delete(child);
}

const stopAll = (signal) => Promise.all([...children].map((child) => stop(child, signal)));

/**
 * Runs a command to its end.
 * @param {string[]} command
 * @param {object} [options] spawn's, and:
 * @param {boolean} [options.quiet] keep the output back, and show it only when the command fails
 * @param {(text: string) => void} [options.tee] also gets what the command prints
 * @returns {Promise<number>} its exit code
 */
export async function run(command, { quiet = false, tee, ...options } = {}) {
  const out = quiet || tee ? "pipe" : "inherit";
  const child = start(command, { stdio: ["ignore", out, out], ...options });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const kept = [];
  for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
    from?.on("data", (chunk) => {
      if (quiet) kept.push(chunk);
      else to.write(chunk);
      tee?.(chunk.toString());
    });
  }
  const code = await child.ended;
  await stop(child); // what the command may have left running
  await closed;
  if (code !== 0 && quiet && !ending) process.stderr.write(Buffer.concat(kept));
  return code;
}

/** Runs a command that must succeed. */
export async function must(command, options) {
  const code = await run(command, options);
  if (code !== 0) throw new Problem(`\`${command.join(" ")}\` failed with exit code ${code}.`);
}

/**
 * Runs a script's main function and sets the exit code to what it returns. A Problem is shown as one
 * line. On Ctrl-C, SIGTERM, SIGHUP or when the parent (npm) is gone, every child is ended first.
 * @param {() => Promise<number | void>} main
 */
export async function script(main) {
  const end = async (signal) => {
    if (ending) return;
    ending = true;
    await stopAll(signal);
    if (WINDOWS) process.exit(exitCode(null, signal));
    // To die of the signal itself tells npm and the shell what happened.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end("SIGTERM"), 1000).unref();

  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (ending) return;
    ending = true;
    console.error(error instanceof Problem ? `\n${red("error:")} ${error.message}` : error);
    process.exitCode = 1;
    await stopAll("SIGTERM");
  }
}

/** Whether a module is what node was started with, rather than imported. */
export const isMain = (meta) => realpathSync(process.argv[1]) === fileURLToPath(meta.url);

// ---------------------------------------------------------------------------------------------
// Files

/** Replaces a file in one move, so that nobody ever sees half of it. */
export function writeWhole(path, text, mode = 0o644) {
  const target = existsSync(path) ? realpathSync(path) : path;
  mkdirSync(dirname(target), { recursive: true });
  const draft = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text, { mode });
    chmodSync(draft, mode);
    renameSync(draft, target);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The text of a file, or undefined when there is none. */
export function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
