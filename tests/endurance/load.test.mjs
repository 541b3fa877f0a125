// Proves that under several times the load that the vault can serve its answers stay right, and that its
// memory doesn't grow with the number of requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStatus, serveVault, unique } from "../http/harness.mjs";
import { LOAD_SECONDS } from "./size.mjs";

/** Requests under way at any time. A vault on one processor is busy with a dozen. */
const CALLERS = 256;
const USERS = 32;
/** What may be added to what lives in the isolate, in bytes, by a load of any length. */
const SLACK = 1_000_000;

const vault = await serveVault({ inspector: true });
const developer = await vault.newDeveloper();
const users = await Promise.all(
  Array.from({ length: USERS }, async () => {
    const principalId = unique("user");
    const accessToken = unique("gho");
    const { id } = assertStatus(await developer.store({ principalId, service: "github", accessToken }), 201).body;
    return { principalId, accessToken, id, grant: await developer.grant({ principal: principalId, scopes: ["github:read"] }) };
  }),
);

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

/** Has all callers ask for some seconds, and counts what they get. */
async function load(seconds) {
  const end = Date.now() + seconds * 1000;
  const counts = { right: 0, refused: 0 };
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
  return counts;
}

test(`${LOAD_SECONDS} s of ${CALLERS} callers at once`, async () => {
  await load(1);
  // workerd's resident memory is no measure: V8 lets it grow for as long as the machine has some.
  const before = await vault.worker.heapUsed();
  const { right, refused } = await load(LOAD_SECONDS);
  const after = await vault.worker.heapUsed();
  console.log(`${right} right answers, ${refused} times 503; ${before} bytes live in the isolate before, ${after} after`);
  assert.ok(right > 20 * refused, `refused ${refused} of ${right + refused}`);
  for (const user of users) assert.equal(assertStatus(await vault.exchange(user.grant, "github"), 200).body.accessToken, user.accessToken);
  assert.ok(after < before + SLACK, `from ${before} to ${after} bytes`);
});
