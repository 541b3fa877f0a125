// npm run rotate: brings every record under the vault's current root key, and says when the old one can go.

import { setTimeout as sleep } from "node:timers/promises";
import { Admin, ADMIN_USAGE, Progress, readOptions } from "./lib/admin.mjs";
import { bold, dim, green, isMain, Problem, red, script } from "./lib/run.mjs";

const USAGE = `Reseals every record under the current root key. Set the new key as VAULT_ENCRYPTION_KEY and the old
one as VAULT_PREVIOUS_KEYS first, and deploy. Stop it at any time and run it again: it goes on with the rest.

  npm run rotate -- --url https://grant-vault.example.workers.dev

  --batch N               how many records each call looks at, 1 to 900 (default: 40, which Cloudflare's free
                          plan allows; 900 on a paid plan is quicker)
${ADMIN_USAGE}`;

/** How long until every location of KV has seen a write, in milliseconds: twice what it says. */
const SETTLING = 120_000;
/** After so many passes that all had something to do, something is wrong. */
const PASSES = 20;

/** How many records are under which key, over all pages. */
export async function countKeys(admin) {
  const keys = new Map();
  const total = { unreadable: 0, unsettled: 0 };
  for await (const page of admin.pages("/v1/admin/keys")) {
    for (const key of page.keys) keys.set(key.keyId, { ...key, records: (keys.get(key.keyId)?.records ?? 0) + key.records });
    total.unreadable += page.unreadable;
    total.unsettled += page.unsettled;
  }
  return { keys: [...keys.values()].sort((a, b) => b.current - a.current || b.records - a.records), ...total };
}

/** Goes through all records once. */
async function pass(admin, title, total, limit) {
  const progress = new Progress(title, total);
  const sum = { seen: 0, resealed: 0, settled: 0, busy: 0, damaged: [] };
  let cursor;
  do {
    const page = await admin.call("POST", "/v1/admin/rewrap", { cursor, limit });
    for (const name of ["seen", "resealed", "settled", "busy"]) sum[name] += page[name];
    sum.damaged.push(...page.damaged);
    cursor = page.nextCursor;
    progress.show(Math.min(sum.seen, total), `${sum.resealed} resealed`);
  } while (cursor !== undefined);
  progress.end(`${sum.seen} seen, ${sum.resealed} resealed${sum.settled ? `, ${sum.settled} brought up to date` : ""}`);
  return sum;
}

/** Passes until one finds nothing to do, begun when all that was written can be seen everywhere. */
async function reseal(admin, total, limit) {
  for (let number = 1; number <= PASSES; number++) {
    const done = await pass(admin, number === 1 ? "Resealing" : "Checking", total, limit);
    if (done.resealed + done.settled + done.busy === 0) return done;
    if (!admin.isLocal) {
      console.error(dim("Waiting 2 minutes, until all of Cloudflare's locations see what was written …"));
      await sleep(SETTLING);
    } else if (done.busy > 0) await sleep(1000);
  }
  throw new Problem("There is still something to do after 20 passes. Is another rotation running, or an older release of the vault?");
}

function table({ keys }) {
  const what = ({ current, known, records }) => {
    if (current) return "current";
    if (!known) return red("not in the key ring: its records don't open");
    return records === 0 ? green("can go") : "previous";
  };
  console.log(`\n${bold("key id            records")}`);
  for (const key of keys) console.log(`${key.keyId}  ${String(key.records).padStart(7)}  ${what(key)}`);
}

async function main(args) {
  const options = readOptions(args, { batch: { type: "string", default: "40" } }, USAGE);
  if (options.help) return console.log(USAGE);
  const limit = /^\d{1,3}$/.test(options.batch) ? Number(options.batch) : 0;
  if (limit < 1 || limit > 900) throw new Problem(`--batch takes a number from 1 to 900, not ${options.batch}.`);
  const admin = new Admin(options);

  const before = await countKeys(admin);
  const total = before.keys.reduce((sum, { records }) => sum + records, 0) + before.unreadable;
  const isRotating = before.keys.some(({ known, current }) => known && !current);
  const done = isRotating ? await reseal(admin, total, limit) : { damaged: [] };
  if (!isRotating) console.error("There are no VAULT_PREVIOUS_KEYS, so there is nothing to reseal.");

  const after = await countKeys(admin);
  table(after);
  for (const { key, reason } of done.damaged) console.log(`${red("doesn't open:")} ${key}: ${reason}`);
  if (after.unreadable > 0) console.log(red(`${after.unreadable} records don't say their key.`));
  const left = after.keys.filter(({ current, records }) => !current && records > 0);
  if (left.length + after.unreadable + after.unsettled + done.damaged.length > 0) {
    console.log(`\n${red("Keep the previous keys:")} what is listed above is not under the current key.`);
    return 1;
  }
  console.log(isRotating ? `\n${green("Everything is under the current key.")} VAULT_PREVIOUS_KEYS can go.` : "");
  return 0;
}

if (isMain(import.meta)) await script(() => main(process.argv.slice(2)));
