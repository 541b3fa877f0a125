// .dev.vars: the settings and secrets of the development vault, in the form that wrangler reads.
// A name that is there is never changed or removed; what is missing is added.

import { randomBytes } from "node:crypto";
import { at, Problem, readIfThere, writeWhole } from "./run.mjs";
import { DEV_ISSUER, ISSUER_FILE, issuerMatches, makeIssuer, publicJwks, readIssuer } from "./issuer.mjs";

export const DEV_VARS = at(".dev.vars");

/** The settings that say whose grant tokens are accepted. They go together. */
const ISSUER_SETTINGS = ["GRANT_ISSUER", "GRANT_JWKS", "GRANT_JWKS_URL"];

/** The line syntax of dotenv, which wrangler uses: a name, = or :, and a value that may be quoted. */
const LINE = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?[^\S\r\n]*(?:#[^\r\n]*)?$/gm;

/**
 * The names and values in .dev.vars.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseDevVars(text) {
  const settings = {};
  const lineAt = (index) => text.slice(0, index).split("\n").length;
  const refuse = (line, why) => {
    throw new Problem(`.dev.vars, line ${line}: ${why}. Correct the line, or restore the file from a copy.`);
  };
  const rest = text.replaceAll(LINE, (match, name, raw = "", index) => {
    const value = raw.trim();
    const quote = /^['"`]/.exec(value)?.[0];
    if (quote && (value.length < 2 || !value.endsWith(quote))) {
      refuse(lineAt(index + match.search(/\S/)), `the value of ${name} has no closing ${quote}`);
    }
    settings[name] = quote === '"' ? value.slice(1, -1).replaceAll("\\n", "\n") : quote ? value.slice(1, -1) : value;
    return match.replace(/[^\n]/g, " ");
  });
  const strange = rest.split("\n").findIndex((line) => /^\s*[^#\s]/.test(line));
  if (strange >= 0) refuse(strange + 1, "neither NAME=value nor a comment");
  return settings;
}

/**
 * What the development vault needs and `settings` doesn't have, in the order it is written.
 * @param {Record<string, string>} settings
 * @param {object | undefined} issuer the development issuer's private JWK, when there is one
 * @returns {{name: string, value: string, comment: string}[]}
 */
export function missingDevVars(settings, issuer) {
  const random = (encoding) => randomBytes(32).toString(encoding);
  const wanted = [
    { name: "VAULT_ENCRYPTION_KEY", value: random("base64"), comment: "Seals every stored credential. Without it they can't be read any more." },
    { name: "ADMIN_API_KEY", value: random("base64url"), comment: "The bearer token of the /v1/admin routes." },
    { name: "SIGNUP", value: "open", comment: "Lets POST /v1/signup create developers." },
  ];
  const present = ISSUER_SETTINGS.filter((name) => name in settings);
  if (issuer && present.every((name) => issuerMatches(name, settings[name], issuer))) {
    wanted.push(
      { name: "GRANT_ISSUER", value: DEV_ISSUER, comment: "The development issuer of grant tokens (npm run grant), its public key, and no address to fetch others from." },
      { name: "GRANT_JWKS", value: JSON.stringify(publicJwks(issuer)), comment: "" },
      { name: "GRANT_JWKS_URL", value: "", comment: "" },
    );
  }
  return wanted.filter(({ name }) => !(name in settings));
}

/** The text of .dev.vars with settings added at its end. */
export function appendDevVars(text, missing) {
  let result = text || "# Settings of the development vault (npm start). They are secret: git ignores this file.\n# What is here stays as it is; npm start only adds names that are missing.\n";
  if (!result.endsWith("\n")) result += "\n";
  for (const { name, value, comment } of missing) {
    if (comment) result += `\n# ${comment}\n`;
    result += `${name}='${value}'\n`;
  }
  return result;
}

/**
 * Reads .dev.vars after adding what is missing, and makes the development issuer on the first run.
 * @returns {{settings: Record<string, string>, added: string[]}}
 */
export function prepareDevVars() {
  const text = readIfThere(DEV_VARS) ?? "";
  const settings = parseDevVars(text);
  // Once keys are configured, a new private key could not match them any more.
  const issuer = readIssuer() ?? ("GRANT_JWKS" in settings ? undefined : makeIssuer());
  const missing = missingDevVars(settings, issuer);
  if (issuer && missing.some(({ name }) => name === "GRANT_JWKS")) {
    writeWhole(ISSUER_FILE, `${JSON.stringify(issuer, null, 2)}\n`, 0o600);
  }
  if (missing.length > 0) writeWhole(DEV_VARS, appendDevVars(text, missing), 0o600);
  for (const { name, value } of missing) settings[name] = value;
  return { settings, added: missing.map(({ name }) => name) };
}

/** The settings in .dev.vars as they are, without changing anything. */
export const readDevVars = () => parseDevVars(readIfThere(DEV_VARS) ?? "");

/** The string settings under [vars] in wrangler.toml: .dev.vars is laid over them. */
export function readTomlVars(toml = readIfThere(at("wrangler.toml")) ?? "") {
  const section = /^\[vars\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(toml)?.[1] ?? "";
  const lines = section.matchAll(/^\s*([A-Z_]+)\s*=\s*(?:"([^"\\]*)"|'([^']*)')/gm);
  return Object.fromEntries([...lines].map(([, name, double, single]) => [name, double ?? single]));
}
