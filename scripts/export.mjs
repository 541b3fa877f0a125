// npm run export: every record of a vault, still sealed, in one file.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { Admin, ADMIN_USAGE, Progress, readOptions } from "./lib/admin.mjs";
import { green, isMain, script } from "./lib/run.mjs";
import { FORMAT, kindOf, VERSION } from "./lib/records.mjs";
import { countKeys } from "./rotate.mjs";

const USAGE = `Writes every record of a vault to a file, as sealed as storage holds it: who has the file needs the root
key too to read it. What is stored or deleted meanwhile may or may not be in it.

  npm run export -- --url https://grant-vault.example.workers.dev --out vault.jsonl

  --out FILE              where to (default: grant-vault-DATE.jsonl)
${ADMIN_USAGE}`;

async function main(args) {
  const options = readOptions(args, { out: { type: "string" } }, USAGE);
  if (options.help) return console.log(USAGE);
  const admin = new Admin(options);
  const now = new Date().toISOString();
  const out = options.out ?? `grant-vault-${now.slice(0, 19).replaceAll(":", "")}.jsonl`;

  const { keys } = await countKeys(admin);
  const progress = new Progress("Exporting", keys.reduce((sum, { records }) => sum + records, 0));
  const kinds = {};
  let records = 0;
  // Whole or not at all: nobody takes half of it for a copy.
  const draft = `${out}.${process.pid}.tmp`;
  const file = openSync(draft, "wx", 0o600);
  try {
    const write = (line) => writeSync(file, `${JSON.stringify(line)}\n`);
    write({ format: FORMAT, version: VERSION, exportedAt: now });
    for await (const page of admin.pages("/v1/admin/records")) {
      for (const record of page.records) {
        write(record);
        kinds[kindOf(record.key)] = (kinds[kindOf(record.key)] ?? 0) + 1;
        records += 1;
      }
      progress.show(Math.min(records, progress.total));
    }
    write({ end: true, records });
    fsyncSync(file);
    renameSync(draft, out);
  } finally {
    closeSync(file);
    rmSync(draft, { force: true });
  }
  progress.end(`${records} records`);
  for (const [kind, count] of Object.entries(kinds).sort()) console.log(`${String(count).padStart(8)}  ${kind}`);
  console.log(`${green("✓")} ${out}`);
}

if (isMain(import.meta)) await script(() => main(process.argv.slice(2)));
