// Proves that under several times the load that the vault can serve its answers stay right, and that its
// memory doesn't grow with the number of requests.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertStatus, serveVault, unique } from "../http/harness.mjs";
import { LOAD_SECONDS } from "./size.mjs";

/** Requests under way at any time. A vault on one processor is busy with a dozen. */
const CALLERS = 256;
const USERS = 32;
/** What collections that are still to come may be worth, in MB. */
const SLACK_MB = 100;

const vault = await serveVault();
const developer = await vault.newDeveloper();
const users = await Promise.all(
  Array.from({ length: USERS }, async () => {
    const principalId = unique("user");
    const accessToken = unique("gho");
    const { id } = assertStatus(await developer.store({ principalId, service: "github", accessToken }), 201).body;
    return { principalId, accessToken, id, grant: await developer.grant({ principal: principalId, scopes: ["github:read"] }) };
  }),
);

/** The resident memory of workerd in MB, where the system tells it. */
function memory() {
  if (process.platform !== "linux") return undefined;
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${vault.worker.process.pid}/status`, "utf8"))[1]) / 1024;
}

const JSON_TYPE = { "Content-Type": "application/json" };
const post = (path, bearer, body) => ["POST", path, bearer, JSON.stringify(body)];
const get = (path) => ["GET", path, developer.apiKey];

/** Calls, and what is right for an answer. */
const calls = [
  ...Array(6).fill((user) => [
    post("/v1/vault/credentials/exchange", user.grant, { service: "github" }),
    (status, body) => status === 200 && body.accessToken === user.accessToken,
  ]),
  (user) => [get(`/v1/vault/credentials/${user.id}`), (status, body) => status === 200 && body.principalId === user.principalId],
  (user) => [
    get(`/v1/vault/credentials?principalId=${user.principalId}`),
    (status, body) => status === 200 && body.credentials.length === 1 && body.credentials[0].id === user.id,
  ],
  (user) => [
    post("/v1/vault/credentials", developer.apiKey, { principalId: user.principalId, service: "github", accessToken: user.accessToken }),
    (status, body) => status === 201 && body.id === user.id,
  ],
  (user) => [post("/v1/vault/credentials/exchange", user.grant, { service: "slack" }), (status) => status === 403],
  (user) => [post("/v1/vault/credentials/exchange", `${user.grant}x`, { service: "github" }), (status) => status === 401],
];

async function ask([method, path, bearer, body]) {
  const headers = { Authorization: `Bearer ${bearer}`, ...(body && JSON_TYPE) };
  const response = await fetch(`${vault.worker.url}${path}`, { method, headers, body });
  return [response.status, await response.json()];
}

test(`${LOAD_SECONDS} s of ${CALLERS} callers at once`, async () => {
  const end = Date.now() + LOAD_SECONDS * 1000;
  const counts = { right: 0, refused: 0 };
  const samples = [];
  const sampling = setInterval(() => samples.push(memory()), 250);
  const caller = async (_, number) => {
    for (let turn = number; Date.now() < end; turn += 1) {
      const [request, isRight] = calls[turn % calls.length](users[(turn * 7) % USERS]);
      const [status, body] = await ask(request);
      // To say "later" is right, too; to say something else isn't.
      if (status === 503) counts.refused += 1;
      else if (isRight(status, body)) counts.right += 1;
      else assert.fail(`${request[0]} ${request[1].slice(0, 60)} -> ${status} ${JSON.stringify(body).slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  clearInterval(sampling);
  assert.ok(counts.right > 20 * counts.refused, `refused ${counts.refused} of ${counts.right + counts.refused}`);
  for (const user of users) assert.equal(assertStatus(await vault.exchange(user.grant, "github"), 200).body.accessToken, user.accessToken);

  console.log(`${counts.right} right answers, ${counts.refused} times 503`);
  if (memory() === undefined) return;
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)].map((part) => Math.max(...part));
  console.log(`memory: ${samples.filter((_, i) => i % Math.ceil(samples.length / 12) === 0).map(Math.round).join(", ")} MB`);
  assert.ok(last < middle + SLACK_MB, `from ${middle} to ${last} MB`);
});
