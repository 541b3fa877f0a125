// Every view, in both themes, wide and narrow: axe-core finds nothing serious in it, nothing sticks out at the
// side, and a screenshot is kept in build/screenshots for people to look at.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { axe } from "./support/axe.mjs";
import { Console, credential, serveConsole, storeAll } from "./support/console.mjs";

const vault = await serveConsole();
const SERVICES = ["github", "slack", "google-drive", "notion", "linear", "stripe", "jira"];
const TYPES = ["oauth2", "oauth2", "api_key"];

let developer, newcomer, grant;
before(async () => {
  developer = await vault.newDeveloper({ name: "Northwind Agents" });
  newcomer = await vault.newDeveloper({ name: "Newcomer", mode: "sandbox" });
  const many = Array.from({ length: 180 }, (_, index) => credential({
    service: SERVICES[Math.floor((index * index) / 7) % SERVICES.length],
    principal: `user_${(Math.imul(index + 9, 2654435761) >>> 0).toString(36).padStart(7, "0")}`,
    type: TYPES[index % 3],
    days: index % 9 === 0 ? undefined : index % 23 === 0 ? -index / 3 : ((index * index * 7) % 97) / 2.2 + 0.5,
  }));
  const shown = credential({ service: "github", principal: "user_abc123", days: 2.2, metadata: { scope: "repo,user", account: { login: "octocat", id: 583231 } } });
  await storeAll(developer, [...many, shown]);
  grant = await developer.grant({ principal: "user_abc123", scopes: ["github:read", "calendar:*"], grantId: "grnt_01J9ZK" });
});

/** Each view: how it is reached, and whether it is one of somebody who is signed in. */
const VIEWS = {
  "sign-in": { go: async (console) => console.button("Sign up for one").waitFor() },
  "sign-in-refused": {
    statuses: [401],
    go: async (console) => {
      await console.field("apiKey").fill("gx_live_wrong");
      await console.button("Sign in").click();
      await console.page.locator(".field-problem").waitFor();
    },
  },
  "sign-up": {
    go: async (console) => {
      await console.button("Sign up for one").click();
      await console.heading("Sign up").waitFor();
    },
  },
  empty: { as: () => newcomer, go: async (console) => console.heading("The vault is empty").waitFor() },
  credentials: { as: () => developer, go: async (console) => console.page.locator("tbody tr").first().waitFor() },
  "nothing-found": {
    as: () => developer,
    go: async (console) => {
      await console.page.getByRole("searchbox").fill("zebra");
      await console.heading("Nothing found").waitFor();
    },
  },
  details: {
    as: () => developer,
    go: async (console) => {
      await console.page.getByRole("searchbox").fill("user_abc123");
      await console.page.locator(".row-button").first().click();
      await console.dialog().getByText("vault:github:read").waitFor();
    },
  },
  store: {
    as: () => developer,
    go: async (console) => {
      await console.button("Store a credential").click();
      await console.field("principalId").fill("user_abc123");
      await console.field("service").fill("github");
      await console.field("accessToken").fill("gho_16C7e42F292c6912E7710c838347Ae178B4a");
      await console.dialog().getByText("This replaces what is stored").waitFor();
    },
  },
  "store-sealed": {
    as: () => developer,
    go: async (console) => {
      await console.button("Store a credential").click();
      await console.field("principalId").fill("user new");
      await console.field("service").fill("not a service");
      await console.field("metadata").fill('{"scope": }');
      await console.field("seal").check();
      await console.button("Make a key").click();
      await console.button("Store it").click();
      await console.page.locator(".has-problem [name=metadata]").waitFor();
    },
  },
  delete: {
    as: () => developer,
    go: async (console) => {
      await console.page.locator(".row-button").first().click();
      await console.button("Delete").click();
      await console.button("Delete for good").waitFor();
    },
  },
  "exchange-empty": {
    as: () => developer,
    go: async (console) => {
      await console.page.getByRole("link", { name: "Exchange" }).click();
      await console.heading("No grant token at hand?").waitFor();
    },
  },
  exchange: {
    as: () => developer,
    go: async (console) => {
      await console.page.getByRole("link", { name: "Exchange" }).click();
      await console.field("grantToken").fill(grant);
      await console.button("Choose github").click();
      await console.button("Exchange").click();
      await console.page.locator(".token").waitFor();
    },
  },
  "exchange-reference": {
    as: () => developer,
    go: async (console) => {
      await console.page.getByRole("link", { name: "Exchange" }).click();
      await console.field("grantToken").fill(grant);
      await console.button("Choose github").click();
      await console.page.getByRole("radio", { name: "Reference" }).check();
      await console.button("Exchange").click();
      await console.button("Resolve with my API key").click();
      await console.page.getByRole("group", { name: "Token for github" }).waitFor();
    },
  },
  "exchange-refused": {
    as: () => developer,
    statuses: [403],
    go: async (console) => {
      await console.page.getByRole("link", { name: "Exchange" }).click();
      await console.field("grantToken").fill(grant);
      await console.field("exchange-service").fill("slack");
      await console.button("Exchange").click();
      await console.page.locator(".exchange-result .problem").waitFor();
    },
  },
};

for (const theme of ["light", "dark"]) {
  for (const [size, width, height] of [["wide", 1280, 800], ["narrow", 360, 740]]) {
    describe(`${theme}, ${size}`, () => {
      for (const [name, { go, as, statuses = [] }] of Object.entries(VIEWS)) {
        test(name, async () => {
          const console = await Console.open(vault, { theme, width, height, apiKey: as?.().apiKey });
          console.expected = statuses;
          await go(console);
          await console.page.evaluate(() => document.fonts.ready.then(() => {}));
          await console.screenshot(`${name}-${theme}-${size}`, { fullPage: name.startsWith("exchange") });
          assert.deepEqual(await axe(console.page), []);
          const [needed, given] = await console.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert.ok(needed <= given, `needs ${needed} px of ${given}`);
        });
      }
    });
  }
}
