// The file of an export: a line that says what it is, a line for each record, and a line with their
// number, so that a file that was cut is noticed. And how records are sent in pieces that the vault takes.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Problem } from "./run.mjs";

export const FORMAT = "grant-vault export";
export const VERSION = 1;

/** What a call takes at most: records, and with room to spare bytes. */
const CALL_RECORDS = 20;
const CALL_BYTES = 240 * 1024;

const KINDS = { cred: "credentials", key: "API keys", dev: "accounts", guard: "guards of a rotation", revoked: "revocations" };

/** What kind of record is under a key. */
export const kindOf = (key) => KINDS[key.split(":")[0]] ?? "others";

/** The lines of a file, parsed; a Problem where one isn't JSON. */
export async function* readLines(path) {
  let number = 0;
  const input = createReadStream(path, "utf8");
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number += 1;
      if (line === "") continue;
      try {
        yield JSON.parse(line);
      } catch {
        throw new Problem(`${path}, line ${number} is no JSON: the file was cut or changed.`);
      }
    }
  } catch (error) {
    throw error.code === "ENOENT" ? new Problem(`There is no ${path}.`) : error;
  }
}

/** How many records a file of an export holds, or a Problem when it isn't a whole one. */
export async function checkExport(path) {
  let header;
  let end;
  let records = 0;
  for await (const line of readLines(path)) {
    if (end) throw new Problem(`${path} goes on after its end: it was changed.`);
    if (!header) {
      header = line;
      if (header?.format !== FORMAT) throw new Problem(`${path} is not an export of this vault.`);
      if (header.version !== VERSION) throw new Problem(`${path} is an export of version ${header.version}, and this release reads version ${VERSION}.`);
    } else if (line?.end === true) end = line;
    else if (typeof line?.key === "string" && typeof line?.value === "string") records += 1;
    else throw new Problem(`${path} holds a line that is no record.`);
  }
  if (!end) throw new Problem(`${path} has no last line: it was cut.`);
  if (end.records !== records) throw new Problem(`${path} holds ${records} records and says ${end.records}: it was cut or changed.`);
  return records;
}

/** The records of a checked file. */
export async function* readExport(path) {
  for await (const line of readLines(path)) if (typeof line.key === "string") yield line;
}

/** Lists of things that fit one call each. */
export async function* batches(things) {
  let batch = [];
  let bytes = 0;
  for await (const thing of things) {
    const size = Buffer.byteLength(JSON.stringify(thing)) + 1;
    if (batch.length === CALL_RECORDS || (batch.length > 0 && bytes + size > CALL_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(thing);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
