// The console as its reader has it: the built files, served by the built Worker, in Chromium. Whatever a test
// does, the page must stay quiet: no violation of its policy, no error, no request to anybody but the vault.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, afterEach } from "node:test";
import { at } from "../../../scripts/lib/run.mjs";
import { Vault, poll, serveVault } from "../../http/harness.mjs";
import { launchChromium } from "../../support/chromium.mjs";

const SCREENSHOTS = at("build", "screenshots");
/** How long anything may take to appear, in milliseconds; the machine may be busy. */
const PATIENCE = 30_000;

let browser;

/** A vault with the console, for as long as the file's tests run. */
export async function serveConsole() {
  const vault = await serveVault({ assets: at("build", "www") });
  browser ??= await launchChromium();
  return vault;
}

/** One with other settings, or with other storage. */
export async function serveOther(options = {}) {
  const vault = await new Vault({ ...options, assets: at("build", "www") }).start();
  after(() => vault.stop());
  browser ??= await launchChromium();
  return vault;
}

const open = new Set();
after(() => browser?.close());
afterEach(async () => {
  const all = [...open];
  open.clear();
  for (const console of all) await console.close();
  for (const console of all) assert.deepEqual(console.problems, [], "what the page complained about");
});

export class Console {
  problems = [];
  /** Statuses of the API that this test means to see; Chromium reports each as an error. */
  expected = [];

  /** Opens the console in a window of its own. */
  static async open(vault, { theme = "light", width = 1280, height = 800, apiKey, expected = [], path = "/", reducedMotion = "reduce", ...context } = {}) {
    const console = new Console();
    console.expected = expected;
    console.origin = new URL(vault.worker.url).origin;
    console.context = await browser.newContext({ colorScheme: theme, viewport: { width, height }, reducedMotion, locale: "en-GB", timezoneId: "Europe/Berlin", ...context });
    await console.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: console.origin });
    console.page = await console.context.newPage();
    console.page.setDefaultTimeout(PATIENCE);
    console.#watch();
    open.add(console);
    await console.page.goto(console.origin + path);
    if (apiKey) await console.signIn(apiKey);
    return console;
  }

  #watch() {
    const { page, problems } = this;
    page.on("pageerror", (error) => problems.push(`uncaught: ${error.stack ?? error}`));
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const [, status] = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text()) ?? [];
      if (this.expected.includes(Number(status)) && /\/(v1\/|health$)/.test(message.location().url)) return;
      if (this.expected.includes("offline") && /net::ERR_FAILED/.test(message.text())) return;
      problems.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== this.origin) problems.push(`a request to ${request.url()}`);
    });
  }

  async signIn(apiKey) {
    await this.page.getByLabel("API key").fill(apiKey);
    await this.button("Sign in").click();
    await this.heading("Credentials").waitFor();
    await this.page.locator(".summary:not(.is-loading), .blank").first().waitFor();
  }

  button(name, options = {}) {
    return this.page.getByRole("button", { name, exact: true, ...options });
  }

  heading(name) {
    return this.page.getByRole("heading", { name, exact: true });
  }

  field(name) {
    return this.page.locator(`[name="${name}"]`);
  }

  dialog() {
    return this.page.getByRole("dialog");
  }

  /** The rows of the list, as [service, principal]. */
  async rows() {
    return this.page.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [row.querySelector(".row-button").firstChild.textContent, row.querySelector(".cell-principal").textContent]));
  }

  /** The texts beside fields that have a problem, by the field's name. */
  async fieldProblems() {
    return this.page.locator(".has-problem").evaluateAll((fields) => Object.fromEntries(fields.map((field) => [field.querySelector("[name]").name, field.querySelector(".field-problem").textContent])));
  }

  /** Everything that the document holds: markup, and what is typed into controls. */
  async everything() {
    return this.page.evaluate(() => document.documentElement.outerHTML + [...document.querySelectorAll("input, textarea")].map(({ value }) => value).join("\n"));
  }

  /** What the browser keeps of this origin, beside the page. */
  async kept() {
    const stored = await this.page.evaluate(async () => ({
      session: { ...sessionStorage },
      local: { ...localStorage },
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
    }));
    return { ...stored, cookies: (await this.context.cookies()).length };
  }

  clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Waits until the clipboard is empty: the page clears it when the browser lets it. */
  clipboardCleared() {
    return poll("the clipboard to be cleared", async () => (await this.clipboard()) === "");
  }

  async screenshot(name, options) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: at("build", "screenshots", `${name}.png`), ...options });
  }

  async close() {
    await this.context.close();
  }
}

/** What the list answers, as a store of it: {service, principal, days until it expires, type, metadata}. */
export function credential({ service, principal, days, type = "oauth2", metadata, token = "gho_example_token_0123456789" }) {
  return {
    principalId: principal,
    service,
    accessToken: token,
    credentialType: type,
    ...(days !== undefined && { tokenExpiresAt: new Date(Date.now() + days * 86_400_000).toISOString() }),
    ...(metadata && { metadata }),
  };
}

/** Stores many credentials, several at once, over connections that are kept. */
export async function storeAll({ vault, apiKey }, credentials) {
  const rest = [...credentials];
  const headers = { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" };
  const worker = async () => {
    for (let next = rest.pop(); next; next = rest.pop()) {
      const response = await fetch(new URL("/v1/vault/credentials", vault.worker.url), { method: "POST", headers, body: JSON.stringify(next) });
      assert.equal(response.status, 201, await response.text());
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}
