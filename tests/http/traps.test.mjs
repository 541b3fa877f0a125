// Proves that a trap, which ends the WebAssembly instance, costs the requests that it meets and nothing
// else: no secret comes out, the next request has a new instance, and what is stored is still there. The
// trap is sprung where it could tell most: in the log line of an exchange, when the credential is open.
// It also shows that nothing leaves before it is logged.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStatus, serveVault, unique } from "./harness.mjs";

const LOGGED = "credential.exchanged";
/** Makes `console.log` fail, for one exchange in three, as the WebAssembly itself does. */
const TRAP = `
const { log } = console;
let exchanges = 0;
console.log = (text) => {
  if (String(text).includes("${LOGGED}") && ++exchanges % 3 === 0) throw new WebAssembly.RuntimeError("unreachable");
  log(text);
};
`;

const vault = await serveVault({ prelude: TRAP });
const developer = await vault.newDeveloper();
const principal = unique("user");

/** Exchanges a token; the answer to one that traps is workerd's own, so that it isn't held to the contract. */
async function exchange(token, service) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(`${vault.worker.url}/v1/vault/credentials/exchange`, { method: "POST", headers, body: JSON.stringify({ service }) });
  return { status: answer.status, text: await answer.text() };
}

test("an exchange that traps hands out nothing, and the next one works", async () => {
  const accessToken = unique("gho");
  assertStatus(await developer.store({ principalId: principal, service: "github", accessToken }), 201);
  const token = await developer.grant({ principal, scopes: ["github:read"] });
  const statuses = [];
  for (let i = 0; i < 9; i++) {
    const { status, text } = await exchange(token, "github");
    statuses.push(status);
    if (status === 200) assert.equal(JSON.parse(text).accessToken, accessToken);
    else assert.ok(!text.includes(accessToken), text);
  }
  assert.deepEqual(statuses, [200, 200, 500, 200, 200, 500, 200, 200, 500]);
  const logged = vault.worker.logLines().filter(({ event }) => event === LOGGED);
  assert.equal(logged.length, 6, "an answer for each line, and a line for each answer");
});

test("requests beside one that traps fail at worst, and are never answered wrong", async () => {
  const tokens = await Promise.all(Array.from({ length: 12 }, async (_, i) => {
    const service = `service-${i}`;
    const accessToken = unique(service);
    assertStatus(await developer.store({ principalId: principal, service, accessToken }), 201);
    return { service, accessToken, token: await developer.grant({ principal, scopes: [`${service}:read`] }) };
  }));
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(tokens.map(({ token, service }) => exchange(token, service)));
    for (const [i, { status, text }] of answers.entries()) {
      if (status === 200) assert.equal(JSON.parse(text).accessToken, tokens[i].accessToken);
      else assert.equal(status, 500, text);
    }
  }
  const { body } = assertStatus(await developer.list(), 200);
  assert.equal(body.credentials.length, 13);
});
