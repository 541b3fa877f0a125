// The list: thousands of rows, filtered by the vault, searched, sorted and paged here, and each of its states.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Console, credential, serveOther } from "./support/console.mjs";
import { storeThousands } from "./support/thousands.mjs";

const vault = await serveOther({ kv: "stub" });
const COUNT = 5_000;
const SERVICES = ["github", "slack", "notion", "jira", "linear"];

let developer;
before(async () => {
  developer = await vault.newDeveloper();
  await storeThousands(developer, Array.from({ length: COUNT }, (_, index) => credential({
    service: SERVICES[index % 5],
    principal: `user_${String(index).padStart(5, "0")}`,
    type: index % 2 ? "oauth2" : "api_key",
    // Expired, within 3 days, in the chart, beyond it, never.
    days: [-1.5, 1.5, 10.5, 90.5, undefined][Math.floor(index / 5) % 5],
    ...(index === 4321 && { metadata: { note: "needle in the hay" } }),
  })));
});

const count = (console) => console.page.locator(".pager p").textContent();
const firstService = async (console) => (await console.rows())[0][0];

test("5,000 credentials: counted, charted, paged, sorted, searched", async () => {
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  const { page } = console;
  assert.equal(await page.locator(".figure").textContent(), "5,000");
  assert.equal(await page.locator(".states").textContent(), "Expired1,000Within 3 days1,000Fine2,000No expiry1,000");
  assert.equal(await page.locator(".bars").textContent(), SERVICES.toSorted().map((name) => `${name}1,000`).join(""));
  assert.match(await page.locator(".chart figcaption").textContent(), /2,000 expire.*By day: .*: 1000; .*: 1000$/);
  assert.equal(await page.locator(".chart-none").count(), 28);

  assert.equal(await count(console), "1–50 of 5,000");
  assert.equal((await console.rows()).length, 50);
  await console.button("Last page").click();
  assert.equal(await count(console), "4,951–5,000 of 5,000");
  await console.button("Next page").click({ force: true });
  assert.equal(await count(console), "4,951–5,000 of 5,000", "there is nothing after the last page");
  await console.button("Previous page").click();
  assert.equal(await count(console), "4,901–4,950 of 5,000");
  await page.getByLabel("Rows").selectOption("250");
  assert.match(await count(console), /of 5,000$/);
  assert.equal((await console.rows()).length, 250);
  await console.button("First page").click();
  assert.equal(await count(console), "1–250 of 5,000");

  const sorting = async (name) => {
    await page.getByRole("columnheader", { name }).getByRole("button").click();
    return page.getByRole("columnheader", { name }).getAttribute("aria-sort");
  };
  assert.equal(await sorting("Principal"), "ascending");
  assert.deepEqual((await console.rows())[0], ["github", "user_00000"]);
  assert.equal(await sorting("Principal"), "descending");
  assert.deepEqual((await console.rows())[0], ["linear", "user_04999"]);
  await sorting("Service");
  await sorting("Service");
  assert.equal(await firstService(console), "slack");
  assert.equal(await sorting("Expiry"), "ascending");
  assert.equal(await page.locator(".cell-expiry .badge").first().textContent(), "Expired yesterday");
  await sorting("Expiry");
  assert.equal(await page.locator(".cell-expiry .badge").first().textContent(), "In 90 days", "what never expires comes last, either way");

  const search = page.getByRole("searchbox");
  await search.fill("NEEDLE hay");
  assert.deepEqual(await console.rows(), [["slack", "user_04321"]]);
  await search.fill("user_0001");
  assert.equal(await count(console), "1–10 of 10");
  await search.fill("nobody has this");
  await console.heading("Nothing found").waitFor();
  await console.button("Clear the search").click();
  assert.match(await count(console), /of 5,000$/);
});

test("the vault filters by principal and service, and says what it has against a filter", async () => {
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  const { page } = console;
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).search));
  await console.field("filter-service").fill("Slack");
  await console.button("Filter").click();
  await page.getByText("1–50 of 1,000").waitFor();
  assert.equal(await page.locator(".figure").textContent(), "1,000");
  assert.ok(asked.includes("?service=Slack"), asked.join());
  await console.field("filter-principal").fill("user_00001");
  await page.keyboard.press("Enter");
  await page.getByText("1–1 of 1", { exact: true }).waitFor();
  assert.deepEqual(await console.rows(), [["slack", "user_00001"]]);
  assert.ok(asked.includes("?principalId=user_00001&service=Slack"), asked.join());
  await console.field("filter-principal").fill("somebody else");
  await console.button("Filter").click();
  await page.getByText("No credential is stored for principal somebody else and service Slack.").waitFor();
  console.expected = [400];
  await console.field("filter-service").fill("no service!");
  await console.button("Filter").click();
  await page.locator(".has-problem").waitFor();
  assert.match((await console.fieldProblems())["filter-service"], /^service must start with a letter or digit/);
  await console.button("Clear").click();
  await page.getByText("1–50 of 5,000").waitFor();
});

test("a list in parts is followed to its end", async () => {
  const console = await Console.open(vault);
  let parts = 0;
  await console.page.route("**/v1/vault/credentials**", (route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("limit", "1000");
    parts += 1;
    return route.continue({ url: url.href });
  });
  await console.signIn(developer.apiKey);
  assert.equal(await console.page.locator(".figure").textContent(), "5,000");
  assert.ok(parts >= 5, `${parts} parts`);
});

test("while the list is on its way that is said, and after a failure it can be had again", async () => {
  const console = await Console.open(vault);
  const { page } = console;
  console.expected = [503];
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route("**/v1/vault/credentials**", async (route) => {
    await released;
    await route.fulfill({ status: 503, headers: { "Retry-After": "0" }, json: { message: "Storage is not available", code: "SERVICE_UNAVAILABLE", requestId: "req_TEST" } });
  });
  await console.field("apiKey").fill(developer.apiKey);
  await console.button("Sign in").click();
  await page.getByText("Loading the list").waitFor({ state: "attached" });
  assert.equal(await page.locator(".summary").getAttribute("aria-busy"), "true");
  await console.screenshot("loading-light-wide");
  release();
  await page.getByText("Storage is not available").waitFor();
  await page.getByText("req_TEST").waitFor();
  await console.screenshot("list-failed-light-wide");
  await page.unroute("**/v1/vault/credentials**");
  await console.button("Try again").click();
  await page.getByText("1–50 of 5,000").waitFor();
});

test("the exact time: in the page for a screen reader, in sight on hover and with the focus", async () => {
  const console = await Console.open(vault, { apiKey: developer.apiKey });
  const { page } = console;
  await page.getByRole("searchbox").fill("user_00005");
  await page.mouse.move(0, 0);
  const exact = page.locator(".cell-expiry .moment-exact");
  assert.match(await exact.textContent(), /\d\d:\d\d:\d\d.*\(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\)/);
  const opacity = () => exact.evaluate((element) => getComputedStyle(element).opacity);
  assert.equal(await opacity(), "0");
  await page.locator(".cell-expiry .badge").hover();
  assert.equal(await opacity(), "1");
  await page.mouse.move(0, 0);
  await page.getByRole("searchbox").focus();
  await page.keyboard.press("Tab");
  while (!(await page.locator(".row-button").evaluate((button) => button === document.activeElement))) await page.keyboard.press("Tab");
  assert.equal(await opacity(), "1");
});

test("what somebody else deleted can be deleted again; what can't be deleted says so", async () => {
  const own = await vault.newDeveloper();
  const { body } = await own.store(credential({ service: "github", principal: "user_gone" }));
  await own.store(credential({ service: "github", principal: "user_stays" }));
  const console = await Console.open(vault, { apiKey: own.apiKey });
  const { page } = console;
  console.expected = [404, 503];
  const ask = async (principal) => {
    await page.getByRole("button", { name: `github of ${principal}` }).click();
    await console.button("Delete").click();
    await console.button("Delete for good").click();
  };
  await own.delete(body.id);
  await ask("user_gone");
  await page.getByText("Deleted github of user_gone.").waitFor();
  assert.deepEqual(await console.rows(), [["github", "user_stays"]]);
  await page.route("**/v1/vault/credentials/*", (route) => route.fulfill({ status: 503, headers: { "Retry-After": "0" }, json: { message: "Storage is not available", code: "SERVICE_UNAVAILABLE", requestId: "req_TEST" } }));
  await ask("user_stays");
  await console.dialog().getByText("Storage is not available").waitFor();
  await console.button("Keep it").click();
  assert.deepEqual(await console.rows(), [["github", "user_stays"]]);
});
