// The reference as its reader has it: complete, quiet under its policy, whole at any width, and accessible.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/lib/run.mjs";
import { axe } from "../console/support/axe.mjs";
import { Console, serveConsole } from "../console/support/console.mjs";

const contract = JSON.parse(readFileSync(at("www", "openapi.json"), "utf8"));
const vault = await serveConsole();
const VIEWS = [
  { theme: "light", width: 1440 },
  { theme: "dark", width: 1440 },
  { theme: "light", width: 360 },
  { theme: "dark", width: 360 },
];

test("every call, field, error and header of the contract is in the reference", async () => {
  const { page } = await Console.open(vault, { path: "/reference" });
  const text = (await page.locator("main").textContent()).replaceAll("\u00a0", " ");
  const operations = Object.entries(contract.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })));
  for (const { operationId, path, method } of operations.filter(({ method }) => ["get", "post", "delete"].includes(method))) {
    const article = page.locator(`article[id="${operationId}"]`);
    assert.equal(await article.locator(".call-line").textContent(), `${method.toUpperCase()}${path}`);
    assert.equal(await page.locator(`nav a[href="#${operationId}"]`).count(), 1, operationId);
  }
  const { headers, responses, schemas } = contract.components;
  const fields = Object.values(schemas).flatMap(({ properties }) => Object.keys(properties ?? {}));
  for (const name of [...Object.keys(headers).filter((name) => !/^(Page|Grant)-/.test(name)), ...fields]) assert.ok(text.includes(name), name);
  for (const name of Object.keys(responses)) assert.equal(await page.locator(`[id="error-${name}"]`).count(), 1, name);
  assert.doesNotMatch(text, /undefined|\[object/);
});

test("every link leads somewhere", async () => {
  const { page } = await Console.open(vault, { path: "/reference" });
  const dangling = await page.locator('a[href^="#"]').evaluateAll((links) => links.map(({ hash }) => hash.slice(1)).filter((id) => !document.getElementById(id)));
  assert.deepEqual(dangling, []);
  const twice = await page.locator("[id]").evaluateAll((all) => all.map(({ id }) => id).filter((id, index, ids) => ids.indexOf(id) !== index));
  assert.deepEqual(twice, []);
});

for (const { theme, width } of VIEWS) {
  test(`it is whole and accessible, ${theme}, ${width} px wide`, async () => {
    const { page } = await Console.open(vault, { path: "/reference", theme, width });
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).colorScheme), "light dark");
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, theme === "dark" ? "rgb(12, 17, 15)" : "rgb(243, 245, 244)");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: at("build", "screenshots", `reference-${theme}-${width}.png`) });
  });
}

test("the keyboard reaches what a mouse does", async () => {
  const { page } = await Console.open(vault, { path: "/reference" });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(new URL(page.url()).hash, "#main");
  const scrollable = await page.locator("pre").evaluateAll((all) => all.every(({ tabIndex }) => tabIndex === 0));
  assert.ok(scrollable, "examples that scroll take the focus");
});

test("it needs no script", async () => {
  const { page } = await Console.open(vault, { path: "/reference", javaScriptEnabled: false });
  assert.equal(await page.locator("script").count(), 0);
  assert.ok(await page.getByRole("heading", { name: "Store a credential" }).isVisible());
});
