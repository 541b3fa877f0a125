// What axe-core finds in a view.

import { readFileSync } from "node:fs";
import { at } from "../../../scripts/lib/run.mjs";

const SOURCE = readFileSync(at("node_modules", "axe-core", "axe.min.js"), "utf8");

/** What is serious or critical, as one line each. */
export async function axe(page) {
  await page.evaluate(SOURCE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary.split("\n")[1]?.trim()}`));
}
