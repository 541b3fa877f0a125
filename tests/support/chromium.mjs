// A Chromium: one that is on the machine, or Debian's, which is installed when that can be done.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { output } from "../../scripts/lib/run.mjs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** A name for this machine that browsers don't take for it: over http a page from there has no crypto.subtle. */
export const INSECURE_HOST = "insecure.test";

/** Nothing that speaks to anybody but the page's own server. */
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
];

const find = () => [process.env.CHROMIUM, ...PLACES, chromium.executablePath()].find((path) => path && existsSync(path));

function install() {
  if (process.getuid?.() !== 0 || output(["apt-get", "--version"]) === undefined) return;
  console.log("Chromium isn't here: apt-get install chromium");
  const apt = (...args) => execFileSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  try {
    apt("install", "-y", "--no-install-recommends", "chromium");
  } catch {
    apt("update");
    apt("install", "-y", "--no-install-recommends", "chromium");
  }
}

/** A browser. @returns {Promise<import("playwright-core").Browser>} */
export async function launchChromium() {
  if (!find()) install();
  const executablePath = find();
  if (!executablePath) throw new Error("There is no Chromium: install one (Debian: apt install chromium; else npx playwright install chromium), or set CHROMIUM to its path.");
  return chromium.launch({ executablePath, args: ARGUMENTS });
}
