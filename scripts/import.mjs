// npm run import: what an export wrote, or a table of Grantex's, into a vault.

import { Admin, ADMIN_USAGE, Progress, readOptions } from "./lib/admin.mjs";
import { readGrantexKey, readTable, toCredentials } from "./lib/grantex.mjs";
import { batches, checkExport, readExport } from "./lib/records.mjs";
import { green, isMain, Problem, readIfThere, red, script } from "./lib/run.mjs";

const USAGE = `Puts records into a vault. What doesn't open there is refused, what was changed there later stays, and
to import twice changes nothing.

  npm run import -- --from vault.jsonl --url https://grant-vault.example.workers.dev
  npm run import -- --grantex vault_credentials.csv --url https://grant-vault.example.workers.dev

  --from FILE             an export. The vault must have the root key that sealed it: as a previous key, if
                          its own is another
  --grantex FILE          Grantex's table vault_credentials, as .json (a list of rows), .jsonl or .csv (with
                          a header). It is opened here, with the key it was sealed with
  --grantex-key-file FILE where that key is (default: the environment's GRANTEX_VAULT_ENCRYPTION_KEY)
${ADMIN_USAGE}`;

const OPTIONS = { from: { type: "string" }, grantex: { type: "string" }, "grantex-key-file": { type: "string" } };

/** Sends things in batches; `name` says which they are where one is refused. */
async function send(admin, { things, total, body, path, name }) {
  const progress = new Progress("Importing", total);
  const counts = { written: 0, unchanged: 0, newer: 0, expired: 0, refused: 0 };
  const refused = [];
  let sent = 0;
  for await (const batch of batches(things)) {
    const { results } = await admin.call("POST", path, body(batch));
    results.forEach(({ outcome, reason }, index) => {
      counts[outcome] += 1;
      if (outcome === "refused") refused.push({ name: name(batch[index]), reason });
    });
    sent += batch.length;
    progress.show(sent, counts.refused ? `${counts.refused} refused` : "");
  }
  progress.end(`${sent} sent`);
  return { counts, refused };
}

function report({ counts, refused }, total) {
  const words = { written: "written", unchanged: "were here already", newer: "are newer here, and stay", expired: "have expired", refused: "refused" };
  for (const [outcome, count] of Object.entries(counts)) if (count > 0) console.log(`${String(count).padStart(8)}  ${words[outcome]}`);
  for (const { name, reason } of refused) console.log(`${red("refused:")} ${name}: ${reason}`);
  if (refused.length === 0) console.log(`${green("✓")} all ${total} are accounted for`);
  return refused.length === 0 ? 0 : 1;
}

async function importExport(admin, path) {
  const total = await checkExport(path);
  const body = (records) => ({ records: records.map(({ key, value, expiration }) => ({ key, value, expiration })) });
  return report(await send(admin, { things: readExport(path), total, body, path: "/v1/admin/records", name: ({ key }) => key }), total);
}

async function importGrantex(admin, path, keyFile) {
  const text = keyFile === undefined ? process.env.GRANTEX_VAULT_ENCRYPTION_KEY : readIfThere(keyFile);
  if (!text?.trim()) throw new Problem("Grantex's key is missing: set GRANTEX_VAULT_ENCRYPTION_KEY in the environment, or name a file that holds it with --grantex-key-file.");
  const rows = readTable(path);
  const { credentials, refused, superseded } = toCredentials(readGrantexKey(text.trim()), rows);
  const body = (batch) => ({ credentials: batch.map(({ credential }) => credential) });
  const done = await send(admin, { things: credentials, total: credentials.length, body, path: "/v1/admin/credentials", name: ({ id }) => id });
  done.refused.unshift(...refused.map(({ id, reason }) => ({ name: id, reason })));
  done.counts.refused += refused.length;
  for (const id of superseded) console.log(`superseded: ${id}: the same service in another spelling was updated later`);
  return report(done, rows.length);
}

async function main(args) {
  const options = readOptions(args, OPTIONS, USAGE);
  if (options.help) return console.log(USAGE);
  if ((options.from === undefined) === (options.grantex === undefined)) throw new Problem(`Name what to import: --from FILE or --grantex FILE.\n\n${USAGE}`);
  const admin = new Admin(options);
  return options.from !== undefined ? importExport(admin, options.from) : importGrantex(admin, options.grantex, options["grantex-key-file"]);
}

if (isMain(import.meta)) await script(() => main(process.argv.slice(2)));
