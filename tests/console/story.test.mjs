// The whole story, as a developer would live it: sign-up, a credential stored and replaced, a grant exchanged,
// the token seen and cleared, the credential deleted, and nothing left behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CREDENTIAL_ID } from "../http/harness.mjs";
import { Console, serveConsole } from "./support/console.mjs";

const vault = await serveConsole();
const TOKEN = "gho_16C7e42F292c6912E7710c838347Ae178B4a";

const sent = (console) => {
  const urls = [];
  console.page.on("request", (request) => urls.push(request.url()));
  return urls;
};

test("from sign-up to exchange to sign-out", async () => {
  const console = await Console.open(vault);
  const { page } = console;
  const urls = sent(console);

  await console.button("Sign up for one").click();
  await console.field("name").fill("Story Inc.");
  await console.field("email").fill("story@example.com");
  await console.button("Sign up").click();
  const apiKey = await page.locator(".shown-once-text").textContent();
  assert.match(apiKey, /^gx_live_[\w-]{43}$/);
  vault.secrets.add("an API key", apiKey);
  await console.button("Copy").click();
  await page.getByText("Copied the API key.").waitFor();
  assert.equal(await console.clipboard(), apiKey);
  await console.button("I have kept it: open the console").click();
  await console.heading("The vault is empty").waitFor();
  assert.ok(!(await console.everything()).includes(apiKey), "the key is out of the page");
  assert.deepEqual(await console.kept(), { session: { "grant-vault.api-key": apiKey }, local: {}, databases: 0, caches: 0, cookies: 0 });

  await console.button("Store the first one").click();
  await console.field("principalId").fill("user_story");
  await console.field("service").fill("github");
  await page.getByText("New: nothing is stored").waitFor();
  await console.field("accessToken").fill(vault.secrets.add("an access token", TOKEN));
  await console.field("refreshToken").fill(vault.secrets.add("a refresh token", "ghr_story_refresh_token"));
  await console.button("30 days").click();
  await console.field("metadata").fill('{"scope": "repo,user"}');
  await console.button("Store it").click();
  await page.getByText("Stored github of user_story.").waitFor();
  assert.deepEqual(await console.rows(), [["github", "user_story"]]);
  assert.match(await page.locator(".cell-expiry .badge").textContent(), /^In (29|30) days$/);
  assert.ok(!(await console.everything()).includes(TOKEN), "the token is out of the page");

  await page.locator(".row-button").click();
  const details = await console.dialog().textContent();
  assert.match(details.match(/vault_\w{26}/)[0], CREDENTIAL_ID);
  assert.match(details, /"scope": "repo,user"/);
  await console.dialog().getByText("vault:github:read").waitFor();
  await console.button("Replace").click();
  await page.getByText("This replaces what is stored").waitFor();
  await console.field("accessToken").fill(TOKEN);
  await console.button("Replace it").click();
  await page.getByText("Replaced github of user_story.").waitFor();
  assert.equal((await console.rows()).length, 1);

  const { developerId } = await page.evaluate(async (key) => (await fetch("/v1/me", { headers: { Authorization: `Bearer ${key}` } })).json(), apiKey);
  const grant = await vault.issuer.grant({ developerId, principal: "user_story", scopes: ["github:read", "slack:*"] });
  await page.getByRole("link", { name: "Exchange" }).click();
  await console.field("grantToken").fill(grant);
  await page.getByText("Form and times are good").waitFor();
  const facts = await page.locator(".facts").textContent();
  for (const fact of ["https://issuer.test", "user_story", "did:grantex:agent-1", "github:read", "slack:*", developerId]) assert.ok(facts.includes(fact), fact);
  assert.match(await page.locator(".opens").textContent(), /github.*permitted and stored.*slack.*permitted, nothing stored/);
  await console.button("Choose github").click();
  await console.button("Exchange").click();
  await page.locator(".token").waitFor();
  assert.ok(!(await console.everything()).includes(TOKEN), "masked means not in the page");
  await console.button("Reveal the token").click();
  assert.equal(await page.getByLabel("Access token").textContent(), TOKEN);
  await console.button("Reveal the token").click();
  assert.ok(!(await console.everything()).includes(TOKEN), "hidden means not in the page");
  await console.button("Copy the token").click();
  await page.getByText("Copied the token.").waitFor();
  assert.equal(await console.clipboard(), TOKEN);
  await console.button("Clear now").click();
  await page.getByText("Cleared from this page").waitFor();
  await console.clipboardCleared();
  assert.ok(!(await console.everything()).includes(TOKEN));

  await page.getByRole("link", { name: "Credentials" }).click();
  await console.heading("Credentials").waitFor();
  assert.ok(!(await console.everything()).includes(grant), "the grant token goes with its view");
  await page.locator(".row-button").click();
  await console.button("Delete").click();
  await console.dialog().getByText("This can't be undone.").waitFor();
  await console.button("Delete for good").click();
  await console.heading("The vault is empty").waitFor();

  await console.button("Sign out").click();
  await console.heading("Sign in").waitFor();
  assert.deepEqual(await console.kept(), { session: {}, local: {}, databases: 0, caches: 0, cookies: 0 });
  assert.ok(!(await console.everything()).includes(apiKey));

  const secrets = [apiKey, TOKEN, grant, "ghr_story_refresh_token"];
  for (const url of urls) for (const secret of secrets) assert.ok(!url.includes(secret), `a secret in ${url}`);
  assert.equal(new URL(page.url()).search, "");
});

test("a sealed token: the vault holds a text that only the key opens", async () => {
  const developer = await vault.newDeveloper();
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  const { page } = console;
  await console.button("Store the first one").click();
  await console.field("principalId").fill("user_sealed");
  await console.field("service").fill("GitHub");
  await console.field("accessToken").fill(TOKEN);
  await console.field("seal").check();
  await console.button("Store it").click();
  await page.getByText("Make a sealing key first").waitFor();
  await console.button("Make a key").click();
  const key = await page.locator(".shown-once-text").textContent();
  assert.equal(Buffer.from(key, "base64").length, 32);
  vault.secrets.add("a sealing key", key);
  await console.button("Store it").click();
  await page.getByText("Confirm that you have kept the key").waitFor();
  await console.field("keyKept").check();
  await page.getByText("New: nothing is stored").waitFor();
  await console.button("Store it").click();
  await page.getByText("Stored GitHub of user_sealed.").waitFor();
  assert.ok(!(await console.everything()).includes(key), "the key was shown once");

  const grant = await developer.grant({ principal: "user_sealed", scopes: ["github:read"] });
  const { accessToken: sealed } = (await vault.exchange(grant, "github")).body;
  assert.notEqual(sealed, TOKEN);
  // As npm/README.md opens it, with WebCrypto alone.
  const bytes = Buffer.from(sealed, "base64url");
  const aesKey = await crypto.subtle.importKey("raw", Buffer.from(key, "base64"), "AES-GCM", false, ["decrypt"]);
  const algorithm = { name: "AES-GCM", iv: bytes.subarray(1, 13), additionalData: Buffer.from("grant-vault sealer 1\0user_sealed/github") };
  assert.equal(Buffer.from(await crypto.subtle.decrypt(algorithm, aesKey, bytes.subarray(13))).toString(), TOKEN);

  await page.getByRole("link", { name: "Exchange" }).click();
  await console.field("grantToken").fill(grant);
  await console.button("Choose GitHub").click();
  await console.button("Exchange").click();
  await page.getByText("This looks like a sealed text.").waitFor();
  await console.field("openKey").fill("not a key");
  await console.button("Open it").click();
  await page.getByText("A sealing key is 32 bytes").waitFor();
  await console.field("openKey").fill(Buffer.alloc(32).toString("base64"));
  await console.button("Open it").click();
  await page.getByText("It doesn't open with this key and context").waitFor();
  await console.field("openKey").fill(key);
  await console.button("Open it").click();
  await page.getByText("Opened here with your key.").waitFor();
  assert.ok(!(await console.everything()).includes(TOKEN));
  await console.button("Reveal the token").click();
  assert.equal(await page.getByLabel("Access token").textContent(), TOKEN);
});
