// Who gets in, and what is said to those who don't.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Console, serveConsole, serveOther } from "./support/console.mjs";

const vault = await serveConsole();

async function tryKey(console, key) {
  await console.field("apiKey").fill(key);
  await console.button("Sign in").click();
}

test("a wrong key says so, and the right one helps", async () => {
  const { apiKey } = await vault.newDeveloper({ name: "Right" });
  const console = await Console.open(vault);
  console.expected = [401];
  await tryKey(console, "gx_live_0000000000000000000000000000000000000000000");
  await console.page.getByText("No developer of this vault has that key").waitFor();
  assert.equal(await console.field("apiKey").getAttribute("aria-invalid"), "true");
  assert.deepEqual((await console.kept()).session, {}, "a wrong key isn't kept");
  await tryKey(console, "with a space");
  await console.page.getByText("An API key must be printable ASCII without spaces").waitFor();
  await tryKey(console, "  ");
  await console.page.getByText("Paste your API key").waitFor();
  await tryKey(console, ` ${apiKey}\n`);
  await console.heading("Credentials").waitFor();
  await console.page.getByText("Right", { exact: true }).waitFor();
});

test("a reload stays signed in, another tab isn't", async () => {
  const { apiKey } = await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey });
  await console.page.reload();
  await console.heading("Credentials").waitFor();
  const tab = await console.context.newPage();
  await tab.goto(console.origin);
  await tab.getByRole("heading", { name: "Sign in" }).waitFor();
});

test("a key that was rotated elsewhere ends the session, and is forgotten", async () => {
  const developer = await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  console.expected = [401];
  const { body } = await developer.send("POST", "/v1/keys/rotate");
  vault.secrets.add("an API key", body.apiKey);
  await console.button("Load again").click();
  await console.page.getByText("Your API key no longer works").waitFor();
  assert.deepEqual((await console.kept()).session, {});
  await tryKey(console, body.apiKey);
  await console.heading("Credentials").waitFor();
});

test("a reload with a key that has ended says so", async () => {
  const developer = await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey: developer.apiKey, expected: [401] });
  vault.secrets.add("an API key", (await developer.send("POST", "/v1/keys/rotate")).body.apiKey);
  await console.page.reload();
  await console.page.getByText("Your API key no longer works").waitFor();
  assert.deepEqual((await console.kept()).session, {});
});

test("a vault that can't be reached says so, and nothing is lost", async () => {
  const { apiKey } = await vault.newDeveloper();
  const console = await Console.open(vault);
  console.expected = ["offline"];
  await console.page.route("**/v1/me", (route) => route.abort());
  await tryKey(console, apiKey);
  await console.page.getByText("The vault could not be reached").waitFor();
  assert.equal(await console.field("apiKey").inputValue(), apiKey);
  await console.page.unroute("**/v1/me");
  await console.button("Sign in").click();
  await console.heading("Credentials").waitFor();
});

test("sign-up says what the vault has against a name or an address", async () => {
  const console = await Console.open(vault);
  await console.button("Sign up for one").click();
  await console.button("Sign up").click();
  await console.page.getByText("name must have 1 to 256 bytes and no control characters").waitFor();
  await console.field("name").fill("Somebody");
  await console.field("email").fill("nowhere");
  await console.button("Sign up").click();
  await console.page.getByText("email must be an e-mail address of at most 254 bytes").waitFor();
  assert.deepEqual(Object.keys(await console.fieldProblems()), ["email"]);
});

test("where sign-up is closed it isn't offered", async () => {
  const console = await Console.open(await serveOther({ settings: { SIGNUP: undefined } }));
  await console.page.getByText("Sign-up is closed here").waitFor();
  assert.equal(await console.button("Sign up for one").count(), 0);
});

test("a misconfigured vault names the setting", async () => {
  const console = await Console.open(await serveOther({ settings: { VAULT_ENCRYPTION_KEY: "short" } }), { expected: [503] });
  await console.page.getByText("This vault is misconfigured").waitFor();
  assert.match(await console.page.getByRole("alert").textContent(), /VAULT_ENCRYPTION_KEY/);
  assert.equal(await console.button("Sign up for one").count(), 0);
});
