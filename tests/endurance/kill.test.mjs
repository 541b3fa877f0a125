// Proves that when workerd is killed (SIGKILL) in the midst of stores, deletes and revocations, nothing
// that was acknowledged is lost and nothing is half-written: after each start every credential is what
// its last acknowledged call left, or what the call that was under way would have.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertStatus, poll, serveVault, unique } from "../http/harness.mjs";
import { KILLS } from "./size.mjs";

/** Credentials that are written at the same time, each by one caller after the other. */
const LANES = 24;
/** Most writes that are acknowledged between a start and the kill. */
const WRITES = 100;

const vault = await serveVault();
const developer = await vault.newDeveloper();

/** One credential, what it must be, and what it may be as nobody heard how the last call ended. */
class Lane {
  principalId = unique("user");
  stored;
  underWay = [];
  acknowledged = 0;

  async begin() {
    const grantId = unique("grnt");
    this.revocation = { grantId, token: await developer.grant({ principal: this.principalId, scopes: ["*"], grantId }) };
    this.token = await developer.grant({ principal: this.principalId, scopes: ["*"] });
    return this;
  }

  /** Stores, now and then deletes, until the connection breaks. */
  async write(isOver) {
    for (let count = 0; !isOver(); count += 1) {
      const accessToken = count % 5 === 4 ? undefined : unique("gho");
      this.underWay.push(accessToken);
      try {
        if (accessToken) assertStatus(await this.#store(accessToken), 201);
        else if (this.id) assert.ok([204, 404].includes((await developer.delete(this.id)).status));
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return; // nobody will hear what became of it
      }
      this.stored = accessToken;
      this.underWay = [];
      this.acknowledged += 1;
    }
  }

  async #store(accessToken) {
    // Both halves of the record say which store they are of; every third doesn't fit KV's metadata.
    const metadata = { of: accessToken, note: "x".repeat(accessToken.charCodeAt(4) % 3 === 0 ? 2_000 : 0) };
    const answer = await developer.store({ principalId: this.principalId, service: "github", accessToken, metadata });
    this.id = answer.body?.id ?? this.id;
    return answer;
  }

  async check() {
    const answer = await vault.exchange(this.token, "github");
    const found = answer.status === 404 ? undefined : assertStatus(answer, 200).body.accessToken;
    assert.ok([this.stored, ...this.underWay].includes(found), `${this.principalId}: lost, or never written`);
    if (found) assert.equal(answer.body.metadata.of, found, "halves of two stores");
    this.stored = found;
    this.underWay = [];
    return found;
  }
}

test(`${KILLS} kills`, async () => {
  const lanes = await Promise.all(Array.from({ length: LANES }, () => new Lane().begin()));
  const revoked = [];
  const acknowledged = () => lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
  for (let kill = 0; kill < KILLS; kill += 1) {
    let isOver = false;
    const writing = lanes.map((lane) => lane.write(() => isOver));
    const revoking = developer.revokeGrant(lanes[kill % LANES].revocation.grantId).then(
      () => revoked.push(lanes[kill % LANES]),
      () => {},
    );
    const enough = acknowledged() + Math.floor(WRITES * Math.random());
    await poll("writes", () => acknowledged() >= enough, { timeout: 60_000, interval: 1 });
    isOver = true;
    vault.worker.process.kill("SIGKILL");
    await Promise.all([...writing, revoking]);
    await vault.restart();

    const found = await Promise.all(lanes.map((lane) => lane.check()));
    const { credentials } = assertStatus(await developer.list(), 200).body;
    assert.deepEqual(credentials.map(({ metadata }) => metadata.of).sort(), found.filter(Boolean).sort(), "the list says the same");
    for (const lane of revoked) assertStatus(await vault.exchange(lane.revocation.token, "github"), 401, "revoked for good");
  }
  assert.ok(acknowledged() > KILLS && revoked.length > 0, "the kills came before anything was written");
  console.log(`${KILLS} kills: ${acknowledged()} writes acknowledged, none lost; ${revoked.length} revocations kept`);
});
