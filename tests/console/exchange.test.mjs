// The trial exchange: what is said of a grant token before it is sent, what the vault says to it, and for how
// long the token that it gives is there.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ISSUER, now } from "../http/support/grants.mjs";
import { Console, credential, serveConsole } from "./support/console.mjs";

const vault = await serveConsole();
const TOKEN = "gho_exchange_1234567890abcdef";

let developer;
before(async () => {
  developer = await vault.newDeveloper();
  vault.secrets.add("an access token", TOKEN);
  await developer.store(credential({ service: "github", principal: "user_x", token: TOKEN, days: -20 }));
  await developer.store(credential({ service: "slack", principal: "user_x" }));
});

async function paste(token, options) {
  const console = await Console.open(vault, { apiKey: developer.apiKey, ...options });
  await console.page.getByRole("link", { name: "Exchange" }).click();
  await console.field("grantToken").fill(token);
  return console;
}

async function exchange(console, service) {
  await console.field("exchange-service").fill(service);
  await console.button("Exchange").click();
}

const failedChecks = (console) => console.page.locator(".check-bad").allTextContents();

test("what is no token is said to be none", async () => {
  for (const text of ["hello", "a.b.c", "eyJhbGciOiJFUzI1NiJ9.bm90IGpzb24.x", developer.apiKey]) {
    const console = await paste(text);
    await console.page.getByText("This is no grant token").waitFor();
    assert.equal(await console.button("Exchange").count(), 0);
  }
});

test("each check that fails is named", async () => {
  const grant = { principal: "user_x", scopes: ["github:read"] };
  const other = await vault.newDeveloper();
  for (const [token, check] of [
    [await developer.grant(grant, { claims: { exp: now() - 3600, iat: now() - 7200 } }), "It hasn't expired: no, it has"],
    [await developer.grant(grant, { claims: { nbf: now() + 3600 } }), "Its time has come: no, not valid yet"],
    [await developer.grant(grant, { claims: { exp: now() + 500 * 86_400 } }), "Lives at most 400 days: no, the vault refuses one that lives longer"],
    [await developer.grant(grant, { claims: { jti: undefined, sub: undefined } }), "Every claim is there: no, without sub, jti"],
    [await developer.grant(grant, { claims: { cnf: { jkt: "x" } } }), "Not bound to a key of the agent's: no, this page can't prove that it holds the key"],
    [await other.grant(grant), `For your own vault: no, for ${other.developerId}, not you`],
  ]) {
    const console = await paste(token);
    await console.page.getByText("The vault will refuse this: one check fails").waitFor();
    assert.deepEqual(await failedChecks(console), [check]);
  }
});

test("the legacy spelling of the claims is read, too", async () => {
  const console = await paste(await developer.grant({ principal: "user_x", scopes: ["github:read", "slack:*"], grantId: "grnt_legacy" }, { spelling: "legacy" }));
  await console.page.getByText("Form and times are good").waitFor();
  const facts = await console.page.locator(".facts").textContent();
  for (const fact of [ISSUER, "did:grantex:agent-1", "grnt_legacy", "slack:*", developer.developerId]) assert.ok(facts.includes(fact), fact);
});

test("which services it opens", async () => {
  for (const [scopes, expected] of [
    [["github:read"], ["github permitted and stored", "slack stored, not permitted"]],
    [["vault:slack:*", "vault:notion:read", "calendar:write"], ["notion permitted, nothing stored", "slack permitted and stored", "github stored, not permitted"]],
    [["*"], ["github permitted and stored", "slack permitted and stored"]],
    [["nothing:write"], ["github stored, not permitted", "slack stored, not permitted"]],
  ]) {
    const console = await paste(await developer.grant({ principal: "user_x", scopes }));
    await console.page.locator(".opens li").first().waitFor();
    const shown = await console.page.locator(".opens li").evaluateAll((items) => items.map((item) => `${item.querySelector(".opens-name").textContent} ${item.querySelector(".opens-why").textContent}`));
    assert.deepEqual(shown.sort(), expected.sort());
    const text = await console.page.locator(".opens").textContent();
    assert.equal(text.includes("opens every service"), scopes[0] === "*");
    assert.equal(text.includes("Its scopes open no service"), scopes[0] === "nothing:write");
  }
});

test("the signature is checked here by who has the issuer's keys", async () => {
  const token = await developer.grant({ principal: "user_x", scopes: ["github:read"] });
  const console = await paste(token);
  const { page } = console;
  await page.getByText("Signature, trusted issuer and audience, and revocation: the vault checks these").waitFor();
  await page.getByText("Check the signature here, too").click();
  const outcome = page.locator(".more [role=status]");
  const check = async (keys) => {
    await console.field("jwks").fill(keys);
    await console.button("Check the signature").click();
    await page.locator(".more [role=status]:not(:empty)").waitFor();
    return outcome.textContent();
  };
  assert.equal(await check(JSON.stringify(vault.issuer.jwks)), "The signature is good, by a key of this set.");
  assert.equal(await check("not json"), "That is not JSON.");
  const { keys: [rsa] } = vault.issuer.jwks;
  assert.match(await check(JSON.stringify({ keys: [rsa] })), /^Not good: /);
  await console.field("jwks").fill(JSON.stringify(vault.issuer.jwks));
  await console.field("grantToken").fill(token.replace(/.{6}$/, (end) => (end === "AAAAAA" ? "BBBBBB" : "AAAAAA")));
  assert.match(await check(JSON.stringify(vault.issuer.jwks)), /^Not good: /);
});

test("what the vault refuses is said, with what can be known of why", async () => {
  const good = { principal: "user_x", scopes: ["github:read", "notion:read"] };
  const revoked = await developer.grant({ ...good, jti: "revoked-token" });
  await developer.revokeToken("revoked-token");
  for (const [token, service, status, message, help] of [
    [revoked, "github", 401, "The grant token is missing", "Its log has a line with the request's id"],
    [await developer.grant(good), "slack", 403, "No scope of the grant permits this service", "none of its scopes permits this service"],
    [await developer.grant(good), "notion", 404, "", "nothing is stored for its principal and this service"],
    [await developer.grant(good), "no service!", 400, "service must start with a letter or digit", "req_"],
  ]) {
    const console = await paste(token, { expected: [status] });
    await exchange(console, service);
    const alert = await console.page.locator(".exchange-result").getByRole("alert").textContent();
    assert.ok(alert.includes(message) && alert.includes(help), alert);
    assert.match(alert, /req_[0-9A-Z]{26}/);
  }
});

test("a token is there for a minute, or as long as is asked for, and then gone from page and clipboard", async () => {
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  const { page } = console;
  await page.getByRole("link", { name: "Exchange" }).click();
  await page.clock.install();
  await console.field("grantToken").fill(await developer.grant({ principal: "user_x", scopes: ["github:read"] }));
  await exchange(console, "GitHub");
  await page.locator(".token").waitFor();
  await page.getByText("Expired 20 days ago").waitFor(); // handed out all the same, as the contract says
  await console.button("Reveal the token").click();
  assert.ok((await console.everything()).includes(TOKEN));
  await console.button("Copy the token").click();
  await page.getByText("Copied the token.").waitFor();
  await console.button("1 minute").click();
  await page.clock.runFor(100_000);
  assert.ok((await console.everything()).includes(TOKEN), "another minute was asked for");
  await page.clock.runFor(25_000);
  await page.getByText("Cleared from this page").waitFor();
  assert.ok(!(await console.everything()).includes(TOKEN));
  await console.clipboardCleared();
});

test("leaving the view, pasting another token and signing out forget it, too", async () => {
  const grant = await developer.grant({ principal: "user_x", scopes: ["github:read"] });
  const console = await paste(grant);
  const { page } = console;
  const reveal = async () => {
    await exchange(console, "github");
    await console.button("Reveal the token").click();
    assert.ok((await console.everything()).includes(TOKEN));
    await console.button("Copy the token").click();
    await page.getByText("Copied the token.").first().waitFor();
    assert.equal(await console.clipboard(), TOKEN);
  };
  const isForgotten = async () => {
    assert.ok(!(await console.everything()).includes(TOKEN));
    await console.clipboardCleared();
  };
  await reveal();
  await console.field("grantToken").fill(`${grant} `);
  await page.locator(".token").waitFor({ state: "detached" });
  await isForgotten();
  await reveal();
  await page.getByRole("link", { name: "Credentials" }).click();
  await console.heading("Credentials").waitFor();
  await isForgotten();
  await page.getByRole("link", { name: "Exchange" }).click();
  assert.equal(await console.field("grantToken").inputValue(), "");
  await console.field("grantToken").fill(grant);
  await reveal();
  await console.button("Sign out").click();
  await console.heading("Sign in").waitFor();
  await isForgotten();
  assert.ok(!(await console.everything()).includes(grant));
});
