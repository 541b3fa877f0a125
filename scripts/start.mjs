// npm start: from a fresh clone to a vault at http://localhost:8787. Set-up, build, `wrangler dev` with
// local storage, a development developer, and curl lines to try it with.

import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { build } from "./build.mjs";
import { prepareDevVars, readTomlVars } from "./lib/devvars.mjs";
import { DEVELOPER_FILE, readDeveloper, readIssuer, signGrant, whyNoGrant } from "./lib/issuer.mjs";
import { bold, dim, isMain, Problem, script, start, stop, toolEnv, wranglerCommand, writeWhole } from "./lib/run.mjs";

const USAGE = `Sets up, builds and serves the vault with \`wrangler dev\`; what follows -- goes there.

  npm start
  npm start -- --port 8790 --var NAME:VALUE

Settings are in .dev.vars, stored credentials in .wrangler/.`;

const EXAMPLE = { principal: "user_abc123", service: "github", scopes: ["github:read"], seconds: 3600 };

/**
 * Splits the command line into what we need to know and what only wrangler does.
 * @returns {{port: number, vars: Record<string, string>, rest: string[]}}
 */
export function readArguments(args) {
  let port = 8787;
  const vars = {};
  const rest = [];
  for (let i = 0; i < args.length; i++) {
    const [, name, inline] = /^(--[\w-]+)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (name === "--port") {
      const value = inline ?? args[++i];
      port = /^\d+$/.test(value) ? Number(value) : 0;
      if (port < 1 || port > 65_535) throw new Problem(`--port takes a number from 1 to 65535, not ${value ?? "nothing"}.`);
      continue;
    }
    rest.push(args[i]);
    if (name !== "--var") continue;
    const values = inline === undefined ? [] : [inline];
    while (i + 1 < args.length && !args[i + 1].startsWith("-")) {
      values.push(args[++i]);
      rest.push(args[i]);
    }
    for (const value of values) {
      const colon = value.indexOf(":");
      if (colon > 0) vars[value.slice(0, colon)] = value.slice(colon + 1);
    }
  }
  return { port, vars, rest };
}

/** Complains when something else listens already: wrangler would move on, and we would ask the other. */
async function requireFreePort(port) {
  for (const host of ["127.0.0.1", "::1"]) {
    const code = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", (error) => resolve(error.code));
      server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
    });
    if (code === "EADDRINUSE") throw new Problem(`Port ${port} is in use. Stop what uses it, or choose another: npm start -- --port ${port + 3}`);
    if (code === "EACCES") throw new Problem(`Port ${port} needs special rights. Choose another: npm start -- --port 8790`);
  }
}

/**
 * Starts `wrangler dev`. Its output is passed on line by line; while `output.ours` is true, without the
 * requests that we make ourselves. `output.last` says when the last line came.
 */
function serve(port, rest, output) {
  const env = toolEnv({
    // The vault doesn't read Request.cf: no need to download an example of it.
    CLOUDFLARE_CF_FETCH_ENABLED: process.env.CLOUDFLARE_CF_FETCH_ENABLED ?? "false",
    ...(process.stdout.isTTY && !process.env.NO_COLOR && { FORCE_COLOR: "1" }),
  });
  // Without wrangler's key bar, which would draw over everything else.
  const command = wranglerCommand("dev", "--port", String(port), "--show-interactive-dev-session=false", ...rest);
  const wrangler = start(command, { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const [from, to] of [[wrangler.stdout, process.stdout], [wrangler.stderr, process.stderr]]) {
    createInterface({ input: from }).on("line", (line) => {
      output.last = Date.now();
      const ours = output.ours && /\b(GET \/health|GET \/v1\/me|POST \/v1\/signup) /.test(line);
      if (!ours) to.write(`${line}\n`);
    });
  }
  return wrangler;
}

/** A request to the vault: status and JSON body, or undefined when it doesn't answer with JSON. */
async function ask(url, { method = "GET", apiKey, json } = {}) {
  try {
    const response = await fetch(url, {
      method,
      headers: { ...(apiKey && { Authorization: `Bearer ${apiKey}` }), ...(json && { "Content-Type": "application/json" }) },
      body: json && JSON.stringify(json),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return undefined;
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until the vault is well (true) or over (false); shows what it complains about on the way. */
async function whenHealthy(url, output) {
  let shown = "";
  const note = (text) => {
    if (text !== shown) console.log(`\n${text}\n`);
    shown = text;
  };
  const patience = Date.now() + 60_000;
  while (!output.over) {
    const health = await ask(`${url}/health`);
    if (health?.status === 200) return true;
    if (health?.body.status === "misconfigured") {
      const problems = (health.body.problems ?? []).map(({ setting, message }) => `  ${bold(setting)}: ${message}`);
      note(`The vault is misconfigured. Correct these settings in .dev.vars and start again:\n${problems.join("\n")}`);
    } else if (Date.now() > patience) {
      note(`The vault doesn't answer at ${url}/health yet.`);
    }
    await sleep(shown ? 1000 : 250);
  }
  return false;
}

/**
 * The development developer: the one of last time if the vault still knows it, else a new one.
 * @returns {Promise<{developerId: string, apiKey: string} | {obstacle: string}>}
 */
async function developerAt(url) {
  let known;
  try {
    known = readDeveloper();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.log(".dev/developer.json is damaged: signing up a new development developer.");
  }
  if (known) {
    const me = await ask(`${url}/v1/me`, { apiKey: known.apiKey });
    if (me?.status === 200) return { ...known, developerId: me.body.developerId };
    if (me?.status !== 401) return { obstacle: `GET /v1/me answered ${me?.status ?? "nothing"} for the key in .dev/developer.json.` };
  }
  const signup = await ask(`${url}/v1/signup`, { method: "POST", json: { name: "Development" } });
  if (signup?.status === 201) {
    const { developerId, apiKey } = signup.body;
    writeWhole(DEVELOPER_FILE, `${JSON.stringify({ developerId, apiKey }, null, 2)}\n`, 0o600);
    return { developerId, apiKey };
  }
  if (signup?.status === 403) {
    return {
      obstacle:
        "sign-up is closed. Set SIGNUP=open in .dev.vars and start again, or create a developer with\n" +
        "POST /v1/admin/developers and ADMIN_API_KEY (in .dev.vars), and put its {\"developerId\", \"apiKey\"} into .dev/developer.json.",
    };
  }
  return { obstacle: `POST /v1/signup answered ${signup?.status ?? "nothing"}: ${signup?.body.message ?? "see above"}` };
}

/** A word for a POSIX shell. */
const quoted = (word) => (/^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A curl command that can be pasted. */
function curl(url, bearer, json) {
  const words = [`curl -sS -w '\\n' ${quoted(url)}`, `-H ${quoted(`Authorization: Bearer ${bearer}`)}`];
  if (json) words.push(`-H ${quoted("Content-Type: application/json")}`, `-d ${quoted(JSON.stringify(json))}`);
  return words.join(" \\\n  ");
}

/** What the developer needs next. */
export function banner({ url, developerId, apiKey, obstacle, grant, noGrant }) {
  const rule = dim("─".repeat(80));
  const credentials = `${url}/v1/vault/credentials`;
  const { principal, service, scopes } = EXAMPLE;
  const lines = ["", rule, bold(`grant-vault is ready at ${url}`), ""];
  const section = (title, text) => lines.push(bold(title), text, "");
  if (obstacle) section("No API key", obstacle);
  if (apiKey) section(`API key of ${developerId}`, apiKey);
  section("Console", apiKey ? `${url}/ · sign in with the API key above` : `${url}/`);
  if (grant) section(`Grant token: principal ${principal}, scope ${scopes.join(" ")}, valid for 1 hour`, grant);
  if (noGrant) section("No grant token", noGrant);
  if (apiKey) {
    section("Store a credential", curl(credentials, apiKey, { principalId: principal, service, accessToken: "gho_example_token" }));
    section("List what is stored", curl(`${credentials}?principalId=${principal}`, apiKey));
  }
  if (grant) section("Exchange the grant token for the credential, as the agent does", curl(`${credentials}/exchange`, grant, { service }));
  if (grant) lines.push(dim(`Another grant token: npm run -s grant -- --principal ${principal} --scope ${scopes[0]} --expires 1h`));
  lines.push(dim("Settings: .dev.vars · storage: .wrangler/ · stop with Ctrl-C"), rule, "");
  return lines.join("\n");
}

/** Waits for the vault, gets a developer and a grant token, and tells how to use them. */
async function welcome(url, settings, output) {
  if (!(await whenHealthy(url, output))) return;
  const { developerId, apiKey, obstacle } = await developerAt(url);
  const issuer = readIssuer();
  const noGrant = developerId ? whyNoGrant(settings, issuer) : undefined;
  const grant = developerId && !noGrant ? await signGrant(issuer, { ...EXAMPLE, developer: developerId, audience: settings.GRANT_AUDIENCE }) : undefined;
  // Last, below what wrangler has to say about its start.
  while (Date.now() - output.last < 300) await sleep(50);
  output.ours = false;
  console.log(banner({ url, developerId, apiKey, obstacle, grant, noGrant }));
}

export async function main(args) {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const { port, vars, rest } = readArguments(args);
  await requireFreePort(port);
  const { settings, added } = prepareDevVars();
  if (added.length > 0) console.log(`✓ .dev.vars: added ${added.join(", ")}`);
  await build();
  await requireFreePort(port);

  const output = { ours: true, last: Date.now(), over: false };
  const wrangler = serve(port, rest, output);
  welcome(`http://localhost:${port}`, { ...readTomlVars(), ...settings, ...vars }, output).catch((error) => {
    console.error(error instanceof Problem ? error.message : error);
  });
  const code = await wrangler.ended;
  output.over = true;
  await stop(wrangler); // what it may have left running
  return code;
}

if (isMain(import.meta)) await script(() => main(process.argv.slice(2)));
