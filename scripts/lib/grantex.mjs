// A table of Grantex's own vault, `vault_credentials`, as PostgreSQL or a script wrote it: JSON, a JSON
// object on each line, or CSV with a header. Its tokens are base64 of IV (12 bytes), tag (16) and
// AES-256-GCM ciphertext, without additional data.

import { createDecipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import { Problem } from "./run.mjs";

const IV_BYTES = 12;
const TAG_BYTES = 16;
const COLUMNS = ["id", "developer_id", "principal_id", "service", "credential_type", "access_token", "refresh_token", "token_expires_at", "metadata", "created_at", "updated_at"];

/** Reads the key that Grantex sealed with: 64 hexadecimal or 44 base64 characters. */
export function readGrantexKey(text) {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (key.length !== 32) throw new Problem("Grantex's key must be 32 bytes, as 64 hexadecimal or 44 base64 characters.");
  return key;
}

/** Opens a token of Grantex's. */
export function decrypt(key, sealed) {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.length < IV_BYTES + TAG_BYTES) throw new Error("is too short to be sealed");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  return new TextDecoder("utf-8", { fatal: true }).decode(plain);
}

/** The rows of a table's file, whose name says its form. */
export function readTable(path) {
  const form = /\.(jsonl|ndjson|json|csv)$/i.exec(path)?.[1].toLowerCase();
  if (!form) throw new Problem(`${path} must end in .json, .jsonl or .csv, as its rows are written.`);
  let text;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new Problem(error.code === "ENOENT" ? `There is no ${path}.` : `${path} can't be read: ${error.code}`);
  }
  const rows = form === "csv" ? fromCsv(text, path) : fromJson(text, form === "json", path);
  for (const row of rows) {
    const missing = COLUMNS.filter((name) => !(name in Object(row)));
    if (missing.length > 0) throw new Problem(`${path} lacks the column${missing.length > 1 ? "s" : ""} ${missing.join(", ")}: is it the table vault_credentials?`);
  }
  return rows;
}

function fromJson(text, isOne, path) {
  try {
    const rows = isOne ? JSON.parse(text) : text.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
    if (Array.isArray(rows)) return rows;
  } catch {
    // Told below.
  }
  throw new Problem(`${path} is no ${isOne ? "JSON list of rows" : "JSON object on each line"}.`);
}

/** CSV as RFC 4180 and PostgreSQL's COPY write it. An empty field without quotes is null. */
function fromCsv(text, path) {
  const lines = [];
  let fields = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const [whole, quoted, plain, after] = field.exec(text) ?? [];
    if (whole === undefined) throw new Problem(`${path} is no CSV near its character ${at + 1}.`);
    fields.push(quoted === undefined ? plain || null : quoted.replaceAll('""', '"'));
    if (after === ",") continue;
    lines.push(fields);
    fields = [];
  }
  if (fields.length > 0) lines.push([...fields, null]);
  const [names = [], ...rows] = lines;
  return rows
    .filter((row) => row.some((value) => value !== null))
    .map((row) => {
      if (row.length !== names.length) throw new Problem(`${path} has a row of ${row.length} fields where its header has ${names.length}.`);
      return Object.fromEntries(names.map((name, index) => [name, row[index]]));
    });
}

/** A timestamp of PostgreSQL's or of JSON's as RFC 3339. */
function timestamp(text) {
  const [, date, time, offset] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d(?::?\d\d)?)$/i.exec(text) ?? [];
  if (!date) throw new Error(`${text} is no timestamp with an offset`);
  const [, sign, hours, minutes = "00"] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  return `${date}T${time}${sign ? `${sign}${hours}:${minutes}` : "Z"}`;
}

/** Metadata, which Grantex may hand out as an object or as its JSON text, once or twice over. */
function metadata(value) {
  let object = value ?? {};
  for (let times = 0; times < 2 && typeof object === "string"; times++) object = JSON.parse(object);
  if (typeof object !== "object" || object === null || Array.isArray(object)) throw new Error("metadata is no JSON object");
  return object;
}

/** A row as the vault takes it in; an Error that says why it can't be, without a secret. */
export function toCredential(key, row) {
  const open = (name) => {
    try {
      return decrypt(key, row[name]);
    } catch {
      throw new Error(`${name} doesn't open with Grantex's key`);
    }
  };
  return {
    developerId: row.developer_id,
    principalId: row.principal_id,
    service: row.service,
    credentialType: row.credential_type,
    accessToken: open("access_token"),
    refreshToken: row.refresh_token === null ? null : open("refresh_token"),
    tokenExpiresAt: row.token_expires_at === null ? null : timestamp(row.token_expires_at),
    metadata: metadata(row.metadata),
    createdAt: timestamp(row.created_at),
    updatedAt: timestamp(row.updated_at),
  };
}

/**
 * The rows as credentials: {credentials: [{id, credential}], refused: [{id, reason}], superseded: [id]}. To
 * this vault GitHub and github are one service: of two rows the one that was updated last is taken.
 */
export function toCredentials(key, rows) {
  const refused = [];
  const superseded = [];
  const newest = new Map();
  for (const row of rows) {
    let credential;
    try {
      credential = toCredential(key, row);
    } catch (error) {
      refused.push({ id: row.id, reason: error.message });
      continue;
    }
    const name = JSON.stringify([credential.developerId, credential.principalId, String(credential.service).toLowerCase()]);
    const one = { id: row.id, credential };
    const other = newest.get(name);
    const isNewer = !other || Date.parse(credential.updatedAt) >= Date.parse(other.credential.updatedAt);
    if (other) superseded.push(isNewer ? other.id : one.id);
    if (isNewer) newest.set(name, one);
  }
  return { credentials: [...newest.values()], refused, superseded };
}
