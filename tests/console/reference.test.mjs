// The trial exchange by reference: the agent's half gives a reference without the token, the developer's half
// resolves it, and what the vault says to a reference that stands no more is shown.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { assertStatus, unique } from "../http/harness.mjs";
import { Console, credential, serveConsole } from "./support/console.mjs";

const vault = await serveConsole();
const TOKEN = "gho_by_reference_1234567890abcdef";

let developer;
before(async () => {
  developer = await vault.newDeveloper();
  vault.secrets.add("an access token", TOKEN);
  assertStatus(await developer.store(credential({ service: "github", principal: "user_x", token: TOKEN, metadata: { scope: "repo" } })), 201);
});

const grant = (fields) => developer.grant({ principal: "user_x", scopes: ["github:read"], ...fields });

/** A console that was given a reference; the clock of its page can be moved. */
async function refer(token, { apiKey = developer.apiKey, expected } = {}) {
  const console = await Console.open(vault, { apiKey, expected });
  await console.page.getByRole("link", { name: "Exchange" }).click();
  await console.page.clock.install();
  await console.field("grantToken").fill(token);
  await console.page.getByRole("radio", { name: "Reference" }).check();
  await console.field("exchange-service").fill("github");
  await console.button("Exchange").click();
  await console.page.getByRole("group", { name: "Reference for github" }).waitFor();
  return console;
}

const resolve = (console) => console.button("Resolve with my API key").click();

async function refusal(console) {
  await resolve(console);
  return console.page.locator(".exchange-result").getByRole("alert").textContent();
}

test("from a grant to a reference to its token", async () => {
  const console = await refer(await grant());
  const { page } = console;
  const card = page.getByRole("group", { name: "Reference for github" });
  assert.match(await card.textContent(), /Stands for [45]:\d\d more, until .*"scope": "repo"/s);
  await console.button("Copy the reference").click();
  await page.getByText("Copied the reference.").waitFor();
  const reference = vault.secrets.add("a reference", await console.clipboard());
  assert.match(reference, /^vref_[A-Za-z0-9_-]{40,}$/);
  const [start, end] = (await page.getByLabel("Reference, shortened").textContent()).split("…");
  assert.ok(reference.startsWith(start) && reference.endsWith(end));
  assert.ok(!(await console.everything()).includes(reference), "shortened means not in the page");
  assert.equal(await page.getByLabel("Access token").count(), 0);

  await resolve(console);
  await page.getByRole("group", { name: "Token for github" }).waitFor();
  assert.ok(!(await console.everything()).includes(TOKEN), "masked means not in the page");
  await console.button("Reveal the token").click();
  assert.equal(await page.getByLabel("Access token").textContent(), TOKEN);
  await console.button("Copy the token").click();
  await page.getByText("Copied the token.").waitFor();
  assert.equal(await console.clipboard(), TOKEN);
  await page.clock.runFor(61_000);
  await page.getByText("Cleared from this page. Resolve again to see it.").waitFor();
  assert.ok(!(await console.everything()).includes(TOKEN));
  await console.clipboardCleared();

  await resolve(console);
  await console.button("Reveal the token").click();
  await console.button("Copy the token").click();
  await page.getByText("Copied the token.").first().waitFor();
  assert.equal(await console.clipboard(), TOKEN);
  await page.getByRole("radio", { name: "Credential" }).check();
  await console.button("Exchange").click();
  await card.waitFor({ state: "detached" });
  await page.getByRole("group", { name: "Token for github" }).waitFor();
  assert.ok(!(await console.everything()).includes(TOKEN), "the next exchange forgets what the reference gave");
  await console.clipboardCleared();
});

test("the time that is left is counted down to its end", async () => {
  const { page } = await refer(await grant());
  await page.clock.runFor(120_000);
  await page.getByText(/Stands for [23]:\d\d more/).waitFor();
  await page.clock.runFor(181_000);
  await page.getByText("Has ended").waitFor();
});

test("one whose grant was revoked meanwhile is refused, and its token is gone", async () => {
  const jti = unique("jti");
  const console = await refer(await grant({ jti }), { expected: [403] });
  await resolve(console);
  await console.button("Reveal the token").click();
  assertStatus(await developer.revokeToken(jti), 204);
  const alert = await refusal(console);
  assert.match(alert, /The grant that this reference was given for was revoked.*req_[0-9A-Z]{26}.*A revocation ends every reference/s);
  assert.ok(!(await console.everything()).includes(TOKEN));
});

test("another developer's, and one whose credential is gone, are not found", async () => {
  const other = await vault.newDeveloper();
  const theirs = await refer(await grant(), { apiKey: other.apiKey, expected: [404] });
  assert.match(await refusal(theirs), /There is no such reference, or it has ended.*another developer's vault/s);

  const { id } = assertStatus(await developer.store(credential({ service: "github", principal: "user_gone" })), 201).body;
  const gone = await refer(await grant({ principal: "user_gone" }), { expected: [404] });
  assertStatus(await developer.delete(id), 204);
  assert.match(await refusal(gone), /its credential is stored no more/);
});

test("a key that was replaced meanwhile ends the session", async () => {
  const one = await vault.newDeveloper();
  assertStatus(await one.store(credential({ service: "github", principal: "user_x", token: TOKEN })), 201);
  const console = await refer(await one.grant({ principal: "user_x", scopes: ["github:read"] }), { apiKey: one.apiKey, expected: [401] });
  assertStatus(await one.send("POST", "/v1/keys/rotate", {}), 200);
  await resolve(console);
  await console.page.getByText("Your API key no longer works.").waitFor();
});
