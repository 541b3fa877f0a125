// The form that stores: it says beforehand what it will do, and refuses what the vault would, in its words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Console, credential, serveConsole } from "./support/console.mjs";

const vault = await serveConsole();

async function openForm(developer) {
  developer ??= await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  await console.page.getByRole("button", { name: /^Store (a credential|the first one)$/ }).first().click();
  return console;
}

const fill = async (console, fields) => {
  for (const [name, value] of Object.entries(fields)) await console.field(name).fill(value);
};
const GOOD = { principalId: "user_form", service: "github", accessToken: "gho_form_token" };

/** Fields that can't be, as the form holds them, and as they are sent without it. */
const BAD = [
  ["principalId", "", ""],
  ["principalId", "x".repeat(257)],
  ["principalId", "é".repeat(129)],
  ["service", "not a service"],
  ["service", "-dash-first"],
  ["service", "x".repeat(65)],
  ["credentialType", "x".repeat(65)],
  ["accessToken", ""],
  ["accessToken", "x".repeat(65_537)],
  ["refreshToken", "x".repeat(65_537)],
  ["metadata", "[1, 2]", [1, 2]],
  ["metadata", '"text"', "text"],
  ["metadata", JSON.stringify({ a: "x".repeat(16_400) }), { a: "x".repeat(16_400) }],
  ["metadata", `${'{"a":'.repeat(17)}1${"}".repeat(17)}`, JSON.parse(`${'{"a":'.repeat(17)}1${"}".repeat(17)}`)],
];

test("what the vault would refuse is refused here, in the vault's words, beside the field", async () => {
  const developer = await vault.newDeveloper();
  const console = await openForm(developer);
  const stores = [];
  console.page.on("request", (request) => request.method() === "POST" && stores.push(request.url()));
  for (const [field, typed, sent = typed] of BAD) {
    await fill(console, { ...GOOD, credentialType: "", refreshToken: "", metadata: "", [field]: typed });
    await console.button("Store it").click();
    await console.page.locator(`.has-problem [name=${field}]`).waitFor();
    const { body } = await developer.send("POST", "/v1/vault/credentials", { json: { ...GOOD, [field]: sent } });
    assert.equal(body.code, "BAD_REQUEST", field);
    assert.deepEqual(await console.fieldProblems(), { [field]: body.message });
    assert.equal(await console.field(field).getAttribute("aria-invalid"), "true");
    await console.page.locator(`[name=${field}]:focus`).waitFor();
  }
  assert.deepEqual(stores, [], "nothing of that reached the vault");
});

test("a problem that comes up under a press waits for it: what is pressed stays where it is", async () => {
  const console = await openForm();
  await console.field("service").fill("not a service, nor could it be one");
  const place = () => console.field("seal").boundingBox();
  const { x, y } = await place();
  await console.page.mouse.move(x + 18, y + 10);
  await console.page.mouse.down();
  await setTimeout(500);
  assert.equal((await place()).y, y);
  await console.page.mouse.up();
  await console.page.locator(".has-problem [name=service]").waitFor();
  assert.ok((await place()).y > y, "the problem takes room");
  assert.ok(await console.field("seal").isChecked());
});

test("metadata: JSON that isn't, names that occur twice, numbers that would change", async () => {
  const console = await openForm();
  for (const [text, problem] of [
    ['{\n  "scope": \n}', /^metadata is not JSON: Unexpected token/],
    [`{"scope": "repo",\n"a": "${"x".repeat(99)}" "b"}`, /^metadata is not JSON \(line 2\): /],
    ['{"a": 1, "a": 2}', /no name occurs twice/],
    ['{"id": 12345678901234567890}', /a number that a browser can't hold exactly, 12345678901234567890/],
  ]) {
    await fill(console, { ...GOOD, metadata: text });
    await console.field("metadata").blur();
    await console.page.locator(".has-problem").waitFor();
    assert.match((await console.fieldProblems()).metadata, problem);
  }
  await console.field("metadata").fill('{"scope":"repo"}');
  await console.button("Tidy").click();
  assert.equal(await console.field("metadata").inputValue(), '{\n  "scope": "repo"\n}');
  await console.page.locator(".has-problem").waitFor({ state: "detached" });
});

test("a message of the vault's goes beside the field that it names, any other above them", async () => {
  const console = await openForm();
  const { page } = console;
  console.expected = [400, 503];
  const refuse = (status, message, code) =>
    page.route("**/v1/vault/credentials", (route) => route.fulfill({ status, headers: { "Retry-After": "0" }, json: { message, code, requestId: "req_TEST" } }));
  await fill(console, GOOD);
  await page.getByText("New: nothing is stored").waitFor();
  await refuse(400, "service must be one that we like", "BAD_REQUEST");
  await console.button("Store it").click();
  await page.getByText("service must be one that we like").waitFor();
  assert.deepEqual(await console.fieldProblems(), { service: "service must be one that we like" });
  await page.unroute("**/v1/vault/credentials");
  await refuse(503, "Storage is not available", "SERVICE_UNAVAILABLE");
  await console.button("Store it").click();
  assert.match(await console.dialog().getByRole("alert").textContent(), /Storage is not available.*req_TEST/);
  await page.unroute("**/v1/vault/credentials");
  await console.button("Store it").click();
  await page.getByText("Stored github of user_form.").waitFor();
});

test("it says beforehand whether it will replace, and asks again where that has changed", async () => {
  const developer = await vault.newDeveloper();
  await developer.store(credential({ service: "GitHub", principal: "user_there", metadata: { old: true } }));
  const console = await openForm(developer);
  const { page } = console;
  await fill(console, { ...GOOD, principalId: "user_there", service: "gitlab" });
  await page.getByText("New: nothing is stored").waitFor();
  await console.field("service").fill("github");
  await page.getByText("This replaces what is stored").waitFor();
  await console.button("Replace it").waitFor();
  await console.field("principalId").fill("user_race");
  await page.getByText("New: nothing is stored").waitFor();
  await developer.store(credential({ service: "github", principal: "user_race" }));
  await console.button("Store it").click();
  await page.getByText("This replaces what is stored").waitFor();
  await console.button("Replace it").click();
  await page.getByText("Replaced github of user_race.").waitFor();
  const { credentials } = (await developer.list({ principalId: "user_race" })).body;
  assert.equal(credentials.length, 1);
});

test("a replacement starts from what is there, and what is left empty is cleared", async () => {
  const developer = await vault.newDeveloper();
  await developer.store(credential({ service: "github", principal: "user_old", type: "api_key", days: 5, metadata: { plan: "pro" } }));
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  await console.page.locator(".row-button").click();
  await console.button("Replace").click();
  assert.deepEqual(await Promise.all(["principalId", "service", "credentialType", "metadata", "accessToken"].map((name) => console.field(name).inputValue())), ["user_old", "github", "api_key", '{\n  "plan": "pro"\n}', ""]);
  assert.equal(await console.field("principalId").getAttribute("readonly"), "");
  await console.page.getByText("This replaces what is stored").waitFor();
  await console.field("accessToken").fill("gho_new_token_of_old");
  await console.field("metadata").fill("");
  await console.button("never").click();
  await console.button("Replace it").click();
  await console.page.getByText("Replaced github of user_old.").waitFor();
  const [{ metadata, tokenExpiresAt, credentialType }] = (await developer.list()).body.credentials;
  assert.deepEqual([metadata, tokenExpiresAt, credentialType], [{}, null, "api_key"]);
});

test("an expiry is typed in the reader's time and stored in the vault's", async () => {
  const developer = await vault.newDeveloper();
  const console = await openForm(developer);
  await fill(console, { ...GOOD, tokenExpiresAt: "2031-07-01T14:30" });
  await console.page.getByText("2031-07-01T12:30:00.000Z").waitFor(); // Berlin, in summer
  await console.page.getByText("New: nothing is stored").waitFor();
  await console.button("Store it").click();
  await console.page.getByText("Stored github of user_form.").waitFor();
  assert.equal((await developer.list()).body.credentials[0].tokenExpiresAt, "2031-07-01T12:30:00.000Z");
});

test("a sealing key that can't be one is said to be so, and a token that is too long once sealed", async () => {
  const console = await openForm();
  await fill(console, { ...GOOD, accessToken: "x".repeat(60_000) });
  await console.field("seal").check();
  await console.page.getByText("Use one that I have").click();
  await console.field("sealingKey").fill("short");
  await console.button("Store it").click();
  await console.page.getByText("A sealing key is 32 bytes").waitFor();
  await console.field("sealingKey").fill("ab".repeat(32));
  await console.page.getByText("New: nothing is stored").waitFor();
  console.expected = [400];
  await console.button("Store it").click();
  await console.page.locator(".has-problem [name=accessToken]").waitFor();
  assert.equal((await console.fieldProblems()).accessToken, "accessToken must have 1 byte to 64 KiB");
});
