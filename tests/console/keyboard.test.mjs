// The console without a mouse: everything can be reached, the focus is seen, and it goes where it belongs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Console, credential, serveConsole } from "./support/console.mjs";

const vault = await serveConsole();

/** What has the focus: its name, as assistive technology has it, or its text. */
const focused = (page) => page.evaluate(() => {
  const { activeElement: element } = document;
  return element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent.trim() ?? element.textContent.trim();
});

/** Presses Tab until something has the focus; each stop on the way must show that it has it. */
async function tabTo(page, name) {
  for (let stops = 0; stops < 60; stops++) {
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => {
      const { activeElement: element } = document;
      const seen = element.matches("[role=switch]") ? element.nextElementSibling : element;
      // A title that was given the focus is no stop of the keyboard's.
      return element.tabIndex < 0 ? "solid" : getComputedStyle(seen).outlineStyle;
    });
    assert.notEqual(outline, "none", `the focus is seen on ${await focused(page)}`);
    if ((await focused(page)) === name) return;
  }
  assert.fail(`${name} can't be reached`);
}

test("sign in, store, look, replace, delete, exchange and sign out with the keyboard alone", async () => {
  const developer = await vault.newDeveloper();
  const console = await Console.open(vault);
  const { page } = console;
  const { keyboard } = page;
  await console.heading("Sign in").waitFor();
  await tabTo(page, "API key");
  await keyboard.insertText(developer.apiKey);
  await tabTo(page, "Sign in");
  await keyboard.press("Enter");
  await console.heading("The vault is empty").waitFor();
  assert.equal(await focused(page), "Credentials", "a view starts at its heading");

  await tabTo(page, "Store the first one");
  await keyboard.press("Enter");
  await console.dialog().waitFor();
  await tabTo(page, "Principal");
  await keyboard.insertText("user_keys");
  await tabTo(page, "Service");
  await keyboard.insertText("github");
  await tabTo(page, "Access token");
  await keyboard.insertText("gho_keyboard_token");
  await page.getByText("New: nothing is stored").waitFor();
  await keyboard.press("Enter"); // a new line, as tokens may have several
  await keyboard.press("Backspace");
  await tabTo(page, "90 days");
  await keyboard.press("Space");
  await tabTo(page, "Store it");
  await keyboard.press("Enter");
  await page.getByText("Stored github of user_keys.").waitFor();

  await developer.store(credential({ service: "slack", principal: "user_keys" }));
  await tabTo(page, "Load again");
  await keyboard.press("Enter");
  await page.getByText("1–2 of 2").waitFor();
  await tabTo(page, "slack of user_keys");
  await keyboard.press("ArrowDown");
  assert.equal(await focused(page), "github of user_keys");
  await keyboard.press("ArrowUp");
  await keyboard.press("Enter");
  await console.dialog().waitFor();
  await keyboard.press("Escape");
  await console.dialog().waitFor({ state: "detached" });
  assert.equal(await focused(page), "slack of user_keys", "the focus comes back");
  await keyboard.press("Enter");
  await console.dialog().waitFor();
  await tabTo(page, "Delete");
  await keyboard.press("Enter");
  await console.button("Delete for good").waitFor();
  await tabTo(page, "Keep it");
  await keyboard.press("Enter");
  assert.equal((await console.rows()).length, 2);

  await tabTo(page, "Exchange");
  await keyboard.press("Enter");
  await console.heading("Exchange").waitFor();
  await tabTo(page, "Paste it here");
  await keyboard.insertText(await developer.grant({ principal: "user_keys", scopes: ["github:read"] }));
  await console.button("Choose github").waitFor();
  await tabTo(page, "Choose github");
  await keyboard.press("Enter");
  await tabTo(page, "Exchange");
  await keyboard.press("Enter");
  await page.locator(".token").waitFor();
  await tabTo(page, "Reveal the token");
  await keyboard.press("Space");
  assert.equal(await page.getByLabel("Access token").textContent(), "gho_keyboard_token");
  await tabTo(page, "Sign out");
  await keyboard.press("Enter");
  await console.heading("Sign in").waitFor();
});

test("a dialog keeps the focus inside", async () => {
  const developer = await vault.newDeveloper();
  await developer.store(credential({ service: "github", principal: "user_trap" }));
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  await console.page.locator(".row-button").focus();
  await console.page.keyboard.press("Enter");
  await console.dialog().waitFor();
  for (let stops = 0; stops < 25; stops++) {
    await console.page.keyboard.press("Tab");
    const isInside = await console.page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null);
    assert.ok(isInside, `${await focused(console.page)} is outside`);
  }
});

test("the first stop skips to the content", async () => {
  const developer = await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  await console.page.evaluate(() => document.activeElement.blur());
  await console.page.locator(".skip").focus();
  await console.page.keyboard.press("Enter");
  assert.equal(await console.page.evaluate(() => document.activeElement.id), "content");
});

test("who wants less motion gets none", async () => {
  const developer = await vault.newDeveloper();
  await developer.store(credential({ service: "github", principal: "user_still" }));
  const longest = async (reducedMotion) => {
    const console = await Console.open(vault, { apiKey: developer.apiKey, reducedMotion });
    await console.page.locator(".row-button").click();
    await console.dialog().waitFor();
    return console.page.evaluate(() => Math.max(...[...document.querySelectorAll("*")].flatMap((element) => {
      const { animationDuration, transitionDuration } = getComputedStyle(element);
      return `${animationDuration},${transitionDuration}`.split(",").map((text) => Number.parseFloat(text));
    })));
  };
  assert.ok((await longest("no-preference")) > 0.1);
  assert.ok((await longest("reduce")) <= 0.001);
});

test("the theme is the system's until another is chosen", async () => {
  const developer = await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey: developer.apiKey, theme: "dark" });
  const shows = (theme) => console.page.locator(`html[data-theme=${theme}]`).waitFor();
  await shows("dark");
  await console.page.emulateMedia({ colorScheme: "light" });
  await shows("light");
  await console.button("Dark theme").click();
  await shows("dark");
  assert.deepEqual(Object.keys((await console.kept()).session), ["grant-vault.api-key"], "a choice isn't stored");
});
