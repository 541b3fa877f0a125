// What each suite starts from: a vault of its own in workerd, an issuer of grant tokens that it
// trusts, developers, and at the end a search of the whole log and of the KV namespace for every
// secret that the suite used.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after } from "node:test";
import { Developer, send } from "./support/client.mjs";
import { Issuer } from "./support/grants.mjs";
import { Secrets } from "./support/secrets.mjs";
import { Worker } from "./support/worker.mjs";

export { CREDENTIAL_ID, Developer, TIMESTAMP, send } from "./support/client.mjs";
export { poll } from "./support/poll.mjs";

const SECRET_SETTINGS = ["VAULT_ENCRYPTION_KEY", "VAULT_PREVIOUS_KEYS", "ADMIN_API_KEY", "AUDIT_WEBHOOK_SECRET"];

export const makeRootKey = () => randomBytes(32).toString("hex");

/** A name that no other test uses, and long enough to be searched for. */
export const unique = (name) => `${name}-${randomUUID()}`;

export class Vault {
  secrets = new Secrets();

  /**
   * `settings` are laid over good ones (undefined removes one), or a function of the issuer that
   * makes them; the rest is for the Worker.
   */
  constructor({ settings = {}, ...options } = {}) {
    this.overrides = settings;
    this.options = options;
  }

  async start() {
    this.issuer = await Issuer.create(this.secrets);
    this.adminKey = randomBytes(32).toString("base64url");
    const settings = {
      VAULT_ENCRYPTION_KEY: makeRootKey(),
      ADMIN_API_KEY: this.adminKey,
      SIGNUP: "open",
      ...this.issuer.settings,
      ...(typeof this.overrides === "function" ? await this.overrides(this.issuer) : this.overrides),
    };
    this.#note(settings);
    this.worker = new Worker({ settings, ...this.options });
    await this.worker.start();
    return this;
  }

  restart(settings = {}) {
    this.#note(settings);
    return this.worker.restart(settings);
  }

  #note(settings) {
    for (const name of SECRET_SETTINGS) {
      for (const value of settings[name]?.split(",") ?? []) this.secrets.add(name, value);
    }
  }

  send(method, path, options) {
    return send(this.worker, method, path, options);
  }

  admin(method, path, options = {}) {
    return this.send(method, `/v1/admin/developers${path}`, { bearer: this.adminKey, ...options });
  }

  async newDeveloper({ name = unique("Developer"), ...rest } = {}) {
    this.secrets.add("a developer's name", name);
    this.secrets.add("an e-mail address", rest.email);
    const answer = await this.send("POST", "/v1/signup", { json: { name, ...rest } });
    assert.equal(answer.status, 201, answer.text);
    return new Developer(this, answer.body);
  }

  exchange(grantToken, service, options = {}) {
    return this.send("POST", "/v1/vault/credentials/exchange", { bearer: grantToken, json: { service }, ...options });
  }

  /** Fails when something that was noted is in the log, or in a key, value or metadata of KV. */
  async assertNothingLeaked() {
    const log = this.worker.output + this.worker.messages.join("\n");
    assert.deepEqual(this.secrets.foundIn(log), [], "secrets in the log of the whole run");
    if (this.worker.kind !== "miniflare") return;
    for (const { name, metadata, value } of await this.worker.dump()) {
      const entry = Buffer.concat([Buffer.from(`${name}\n${JSON.stringify(metadata)}\n`), value]);
      assert.deepEqual(this.secrets.foundIn(entry), [], `secrets in the KV entry ${name}`);
    }
  }

  async stop() {
    await this.worker?.stop();
  }
}

/** A vault that runs for as long as the file's tests do, and must leave nothing behind. */
export async function serveVault(options) {
  const vault = await new Vault(options).start();
  after(async () => {
    try {
      await vault.assertNothingLeaked();
    } finally {
      await vault.stop();
    }
  });
  return vault;
}

/** Asserts a status, with the answer's text as the message. */
export function assertStatus(answer, status, context = "") {
  assert.equal(answer.status, status, `${context} ${answer.path.slice(0, 120)}: ${answer.text.slice(0, 300)}`);
  return answer;
}

/** An error's body without what differs from request to request. */
export function withoutRequestId({ body: { requestId, ...rest } }) {
  return rest;
}
