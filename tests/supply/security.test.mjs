// Proves that SECURITY.md's table of threats tells no tale: every file that it names is there, and every
// test that it names is in that file.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/lib/run.mjs";

const rows = readFileSync(at("SECURITY.md"), "utf8").split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| threat |"));

test("there is a threat to each row, what stops it, and what shows it", () => {
  assert.ok(rows.length >= 15, `${rows.length} rows`);
  for (const row of rows) assert.ok(row.split(" | ").length === 3 && row.split(" | ")[2].includes("`"), row);
});

for (const row of rows) {
  test(row.split(" | ")[0].slice(2), () => {
    for (const [, path] of row.matchAll(/`((?:src|tests|fuzz|scripts)\/[^`]+|deny\.toml)`/g)) assert.ok(existsSync(at(path)), path);
    for (const [, path, names] of row.matchAll(/`([^`]+\.(?:rs|mjs))` \(([^)]+)\)/g)) {
      const text = readFileSync(at(path), "utf8");
      for (const [, name] of names.matchAll(/`([^`]+)`/g)) assert.ok(text.includes(`fn ${name}(`) || text.includes(`"${name}"`), `${path}: ${name}`);
    }
  });
}
