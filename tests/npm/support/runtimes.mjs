// Other runtimes: every Node on the machine, and Deno and Bun as the npm packages that carry them.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { at, nodeBinary, toolEnv, WINDOWS } from "../../../scripts/lib/run.mjs";

const LEAST_NODE = 20;

/** One Node of each major version: [{version, path}]. */
export function nodes() {
  const name = WINDOWS ? "node.exe" : "node";
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  const found = new Map();
  for (const path of [nodeBinary(), process.execPath, ...onPath]) {
    if (!existsSync(path)) continue;
    const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout?.trim() ?? "";
    const major = Number(/^v(\d+)\./.exec(version)?.[1]);
    if (major >= LEAST_NODE && !found.has(major)) found.set(major, { version, path });
  }
  return [...found.values()];
}

/**
 * The program of an npm package that carries a runtime, installed in .tools/runtimes when it isn't there;
 * undefined where that can't be done.
 */
export function runtime(name) {
  const { config } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const home = at(".tools", "runtimes", name);
  const program = join(home, "node_modules", ".bin", WINDOWS ? `${name}.cmd` : name);
  const run = (args) => spawnSync(program, args, { encoding: "utf8", shell: WINDOWS });
  const isThere = () => run(["--version"]).stdout?.includes(config[name]);
  if (isThere()) return program;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), '{"private":true}');
  try {
    execFileSync("npm", ["install", `${name}@${config[name]}`, "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: home, env: toolEnv(), shell: WINDOWS, stdio: ["ignore", "ignore", "ignore"],
    });
  } catch {
    return undefined;
  }
  return isThere() ? program : undefined;
}
