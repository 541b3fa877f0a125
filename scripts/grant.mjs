// npm run grant: prints a grant token of the development issuer, and nothing else, on stdout.

import { parseArgs } from "node:util";
import { parseDuration, readDeveloper, readIssuer, signGrant, whyNoGrant } from "./lib/issuer.mjs";
import { readDevVars, readTomlVars } from "./lib/devvars.mjs";
import { Problem, script } from "./lib/run.mjs";

const USAGE = `Prints a grant token from the development issuer, for the vault that \`npm start\` serves.

  npm run -s grant -- --principal user_abc123 --scope github:read --expires 1h

  --principal ID     whose credentials the agent may use (required)
  --scope SCOPE      what the agent may use; may be given several times (required)
                     github:read, github:*, vault:github:read, vault:credentials:exchange, ...
  --expires TIME     how long the token lives: 30s, 15m, 1h, 7d (default: 1h)
  --developer ID     whose vault (default: the development developer's, .dev/developer.json)
  --agent DID        the agent (default: did:web:agent.localhost)
  --help             this text

In a script: TOKEN="$(npm run -s grant -- --principal user_abc123 --scope github:read)"`;

const OPTIONS = {
  principal: { type: "string" },
  scope: { type: "string", multiple: true },
  expires: { type: "string", default: "1h" },
  developer: { type: "string" },
  agent: { type: "string" },
  help: { type: "boolean", short: "h" },
};

/** The command line's options, or a Problem that says what is wrong with them. */
function readOptions(args) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new Problem(`${error.message}\n\n${USAGE}`);
  }
}

await script(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const scopes = (options.scope ?? []).flatMap((scope) => scope.split(/\s+/)).filter(Boolean);
  if (!options.principal) throw new Problem("--principal is missing: whose credentials may the agent use? (--help shows an example)");
  if (scopes.length === 0) throw new Problem("--scope is missing: what may the agent use, as in --scope github:read? (--help shows an example)");
  const seconds = parseDuration(options.expires);

  const issuer = readIssuer();
  const settings = { ...readTomlVars(), ...readDevVars() };
  const obstacle = whyNoGrant(settings, issuer);
  if (obstacle) throw new Problem(`No grant token: ${obstacle}`);
  const developer = options.developer ?? readDeveloper()?.developerId;
  if (!developer) throw new Problem("There is no development developer yet: run `npm start` once, or name one with --developer.");

  console.log(await signGrant(issuer, {
    developer,
    principal: options.principal,
    scopes,
    seconds,
    agent: options.agent,
    audience: settings.GRANT_AUDIENCE,
  }));
});
