// The operator's side of a vault that runs somewhere: where it is, with which key, and calls that are
// tried again when the vault or the way there is busy.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readDevVars } from "./devvars.mjs";
import { dim, Problem, readIfThere, seconds } from "./run.mjs";

/** The options that every operator's command has. */
export const ADMIN_OPTIONS = {
  url: { type: "string", default: "http://localhost:8787" },
  "admin-key-file": { type: "string" },
  help: { type: "boolean", short: "h" },
};

export const ADMIN_USAGE = `  --url URL               which vault (default: http://localhost:8787, as npm start serves it)
  --admin-key-file FILE   where its ADMIN_API_KEY is (default: the environment's ADMIN_API_KEY, or for a
                          vault on this machine that of .dev.vars)
  --help                  this text`;

/** How often a call is tried before it is given up. */
const ATTEMPTS = 8;
const LONGEST_WAIT = 30_000;
const TIMEOUT = 120_000;

/** The command line's options, or a Problem that says what is wrong with them. */
export function readOptions(args, options, usage) {
  try {
    return parseArgs({ args, options: { ...ADMIN_OPTIONS, ...options }, strict: true }).values;
  } catch (error) {
    throw new Problem(`${error.message}\n\n${usage}`);
  }
}

const isLocal = (url) => ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);

/** A vault that the operator talks to. */
export class Admin {
  constructor(options) {
    this.url = readUrl(options.url);
    this.isLocal = isLocal(this.url);
    this.#key = readKey(options["admin-key-file"], this.isLocal);
  }

  #key;

  /**
   * Makes a call and gives its answer. A busy vault and a broken connection are waited for: every call
   * that is made through here may be made twice.
   */
  async call(method, path, body) {
    for (let attempt = 1; ; attempt++) {
      const { answer, wait, why } = await this.#try(method, path, body, attempt);
      if (answer) return answer;
      if (attempt === ATTEMPTS) throw new Problem(`${this.url.origin} doesn't answer: ${why}`);
      await sleep(Math.min(wait, LONGEST_WAIT));
    }
  }

  async #try(method, path, body, attempt) {
    const backoff = 250 * 2 ** attempt;
    let response;
    let text;
    try {
      response = await fetch(new URL(path, this.url), {
        method,
        headers: { Authorization: `Bearer ${this.#key}`, ...(body && { "Content-Type": "application/json" }) },
        body: body && JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      text = await response.text();
    } catch (error) {
      return { wait: backoff, why: error.cause?.message || error.cause?.code || error.message };
    }
    const { status } = response;
    if (status === 429 || status >= 500) {
      const after = 1000 * Number(response.headers.get("Retry-After"));
      return { wait: Math.max(after || 0, backoff), why: `${status} ${messageOf(text)}` };
    }
    if (status === 401) throw new Problem("The vault refuses the admin key: it isn't its ADMIN_API_KEY.");
    if (status === 404) throw new Problem(`There is no ${path.split("?")[0]} at ${this.url.origin}: is it a vault of this release, with ADMIN_API_KEY set?`);
    if (!response.ok) throw new Problem(`The vault refuses ${method} ${path.split("?")[0]}: ${status} ${messageOf(text)}`);
    try {
      return { answer: JSON.parse(text) };
    } catch {
      throw new Problem(`${this.url.origin} answers with something else than JSON: is it a vault?`);
    }
  }

  /** The pages that a path gives, from cursor to cursor. */
  async *pages(path) {
    let cursor;
    do {
      const page = await this.call("GET", cursor === undefined ? path : `${path}?${new URLSearchParams({ cursor })}`);
      yield page;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }
}

function readUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new Problem(`--url takes the address of a vault, like https://grant-vault.example.workers.dev, not ${text}`);
  }
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && isLocal(url));
  if (!isSafe || url.username || url.password) throw new Problem("--url must be an https address (http on this machine only), without a user or password.");
  return url;
}

function readKey(file, local) {
  if (file !== undefined) {
    const key = readIfThere(file)?.trim();
    if (!key) throw new Problem(`${file} holds no admin key.`);
    return key;
  }
  const key = process.env.ADMIN_API_KEY || (local ? readDevVars().ADMIN_API_KEY : undefined);
  if (!key) throw new Problem("ADMIN_API_KEY is missing: set it in the environment, or name a file that holds it with --admin-key-file.");
  return key.trim();
}

const messageOf = (text) => {
  try {
    return JSON.parse(text).message ?? "";
  } catch {
    return "";
  }
};

/** A progress bar on stderr: drawn over itself on a terminal, else a line for every tenth. */
export class Progress {
  #last = -1;
  #begin = performance.now();

  constructor(title, total) {
    Object.assign(this, { title, total });
  }

  show(done, note = "") {
    const share = this.total > 0 ? Math.min(1, done / this.total) : 1;
    const tenth = Math.floor(share * 10);
    if (!process.stderr.isTTY && tenth === this.#last) return;
    this.#last = tenth;
    const bar = `${"█".repeat(Math.round(share * 24))}${"░".repeat(24 - Math.round(share * 24))}`;
    const line = `${this.title} ${bar} ${String(Math.floor(share * 100)).padStart(3)} % ${done}/${this.total}${note && `, ${note}`}`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  end(note = "") {
    const line = `${this.title}: ${note} ${dim(`(${seconds(performance.now() - this.#begin)})`)}`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
  }
}
