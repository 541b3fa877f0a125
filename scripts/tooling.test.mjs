// What set-up skips, what npm start does with its arguments and prints, how npm test counts.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { at, exitCode, Problem, run, seconds, WINDOWS, writeWhole } from "./lib/run.mjs";
import { lockedVersion, packagesMatch, toolVersions } from "./lib/setup.mjs";
import { banner, readArguments } from "./start.mjs";
import { countTests } from "./test.mjs";

const scratch = mkdtempSync(join(tmpdir(), "grant-vault-scripts-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

test("npm packages are installed only when they differ from the lock file", () => {
  const linux = { platform: "linux", arch: "x64" };
  const a = { version: "1.0.0", integrity: "sha512-a" };
  const mac = { version: "1.0.0", integrity: "sha512-m", optional: true, os: ["darwin"], cpu: ["arm64"] };
  const wanted = { packages: { "": {}, "node_modules/a": a, "node_modules/mac": mac } };
  const matches = (packages, machine = linux) => packagesMatch(wanted, packages && { packages }, machine);
  assert.ok(matches({ "node_modules/a": a }));
  assert.ok(!matches(null));
  assert.ok(!matches({}));
  assert.ok(!matches({ "node_modules/a": { ...a, version: "1.0.1" } }));
  assert.ok(!matches({ "node_modules/a": { ...a, integrity: "sha512-b" } }));
  assert.ok(!matches({ "node_modules/a": a, "node_modules/mac": mac }), "packages of another platform");
  assert.ok(matches({ "node_modules/a": a, "node_modules/mac": mac }, { platform: "darwin", arch: "arm64" }));
});

test("wasm-bindgen's version is Cargo.lock's", () => {
  const lock = '[[package]]\nname = "wasm-bindgen-shared"\nversion = "9.9.9"\n\n[[package]]\nname = "wasm-bindgen"\nversion = "0.2.129"\n';
  assert.equal(lockedVersion(lock, "wasm-bindgen"), "0.2.129");
  assert.equal(lockedVersion(lock.replaceAll("\n", "\r\n"), "wasm-bindgen"), "0.2.129");
  assert.throws(() => lockedVersion("", "wasm-bindgen"), Problem);
  assert.throws(() => lockedVersion(undefined, "wasm-bindgen"), Problem);
});

test("every tool's version is pinned exactly", () => {
  const { devDependencies, optionalDependencies, config } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  for (const version of [...Object.values({ ...devDependencies, ...optionalDependencies, ...config }), ...Object.values(toolVersions())]) {
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});

test("package-lock.json names no download host", () => {
  assert.doesNotMatch(readFileSync(at("package-lock.json"), "utf8"), /"resolved"/);
});

test("npm start's arguments", () => {
  assert.deepEqual(readArguments([]), { port: 8787, vars: {}, rest: [] });
  assert.deepEqual(readArguments(["--port", "8790", "--var", "A:1", "B:x:y", "--ip", "0.0.0.0"]), {
    port: 8790, vars: { A: "1", B: "x:y" }, rest: ["--var", "A:1", "B:x:y", "--ip", "0.0.0.0"],
  });
  assert.deepEqual(readArguments(["--port=9000", "--var=A:1"]), { port: 9000, vars: { A: "1" }, rest: ["--var=A:1"] });
  for (const args of [["--port"], ["--port", "x"], ["--port", "0"], ["--port", "65536"], ["--port="]]) {
    assert.throws(() => readArguments(args), Problem, args.join(" "));
  }
});

test("the banner's curl lines survive a shell", { skip: WINDOWS }, () => {
  const text = banner({ url: "http://localhost:8787", developerId: "dev_1", apiKey: "gx_live_it's $HOME", grant: "a.b.c" });
  const commands = text.match(/^curl(?:.*\\\n)*.*$/gm);
  assert.equal(commands.length, 3);
  const words = commands.map((command) => execFileSync("sh", ["-c", `curl() { printf '%s\\n' "$@"; }\n${command}`], { encoding: "utf8" }).split("\n"));
  assert.ok(words[0].includes("Authorization: Bearer gx_live_it's $HOME"));
  assert.ok(words[1].includes("http://localhost:8787/v1/vault/credentials?principalId=user_abc123"));
  assert.ok(words[2].includes('{"service":"github"}') && words[2].includes("Authorization: Bearer a.b.c"));
});

test("the banner says what is missing", () => {
  const closed = banner({ url: "u", obstacle: "sign-up is closed" });
  assert.match(closed, /sign-up is closed/);
  assert.match(closed, /Console\nu\/$/m);
  assert.doesNotMatch(closed, /curl/);
  const foreign = banner({ url: "u", developerId: "dev_1", apiKey: "k", noGrant: "GRANT_ISSUER is x" });
  assert.match(foreign, /No grant token\nGRANT_ISSUER is x/);
  assert.match(foreign, /Console\nu\/ · sign in with the API key above/);
  assert.doesNotMatch(foreign, /exchange/);
});

test("tests are counted in every suite's own words", () => {
  const cases = [
    ["test result: ok. 12 passed; 0 failed; 1 ignored\n\ntest result: FAILED. 3 passed; 2 failed;", 101, 15, 2],
    ["test result: \x1b[32mok\x1b[m. 4 passed; 0 failed;", 0, 4, 0],
    ["ℹ tests 7\nℹ suites 0\nℹ pass 5\nℹ fail 1\nℹ cancelled 1\n", 1, 5, 2],
    ["....\nRan 4 tests in 0.1s\n\nOK\n", 0, 4, 0],
    ["Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n", 1, 2, 3],
    ["===== 1 failed, 8 passed in 1.20s =====", 1, 8, 1],
    ["--dry-run: exiting now.", 0, 1, 0],
    ["error: could not compile", 101, 0, 1],
  ];
  for (const [text, code, passed, failed] of cases) assert.deepEqual(countTests(text, code), { passed, failed }, text);
});

test("files are replaced whole, with their mode, through a link", { skip: WINDOWS }, () => {
  const [file, link] = [join(scratch, "real"), join(scratch, "link")];
  writeFileSync(file, "old", { mode: 0o644 });
  symlinkSync(file, link);
  writeWhole(link, "new", 0o600);
  assert.equal(readFileSync(file, "utf8"), "new");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(scratch).sort(), ["link", "real"]);
  writeWhole(join(scratch, "folder", "file"), "x");
  assert.equal(readFileSync(join(scratch, "folder", "file"), "utf8"), "x");
});

test("commands: exit codes, and nothing is left running", { skip: WINDOWS }, async () => {
  assert.equal(await run(["sh", "-c", "exit 3"]), 3);
  assert.equal(await run(["sh", "-c", "kill -TERM $$"]), 143);
  assert.equal(exitCode(null, "SIGINT"), 130);
  const pidFile = join(scratch, "pid");
  await run(["sh", "-c", `sleep 60 & echo $! > ${pidFile}`], { quiet: true });
  assert.throws(() => process.kill(Number(readFileSync(pidFile, "utf8")), 0), { code: "ESRCH" });
  await assert.rejects(run(["no-such-program-here"]), Problem);
});

test("times", () => {
  assert.deepEqual([40, 9940, 9960, 59_400, 59_600, 185_000].map(seconds), ["0.0 s", "9.9 s", "10 s", "59 s", "1 min 00 s", "3 min 05 s"]);
});
