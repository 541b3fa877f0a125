// The vault inside a program: the core over a KV namespace.

import * as check from "./check.js";
import { withCore } from "./core.js";
import { adaptKv } from "./kv.js";

export class Vault {
  /** What the core is made of, until it is. */
  #parts;
  #core;
  #log;

  constructor(options) {
    const { kv, encryptionKey, previousKeys, grants, signup, adminApiKey, corsAllowedOrigins, log } = check.object(options, "options");
    const key = (value, name) => check.toHex(check.key(value, name));
    const keys = (values, name) => {
      if (!Array.isArray(values)) throw new TypeError(`${name} must be an array of keys`);
      return values.map((value, index) => key(value, `${name}[${index}]`)).join();
    };
    this.#parts = {
      kv: adaptKv(kv, "kv"),
      options: {
        encryptionKey: key(encryptionKey, "encryptionKey"),
        previousKeys: check.optional(keys, previousKeys, "previousKeys"),
        grants: check.grantOptions(grants, "grants"),
        signup: check.optional(check.oneOf(["open", "closed"]), signup, "signup"),
        adminApiKey: check.optional(check.headerValue, adminApiKey, "adminApiKey"),
        corsAllowedOrigins: check.optional(check.strings, corsAllowedOrigins, "corsAllowedOrigins")?.join(),
      },
    };
    this.#log = check.optional(check.callable, log, "log") ?? writeToConsole;
    // Bound, so that it can be handed over as it is: `export default { fetch: vault.fetch }`.
    this.fetch = this.fetch.bind(this);
  }

  developer(developerId) {
    return new DeveloperVault((work) => this.#with(work), check.string(developerId, "developerId"));
  }

  async exchange(grantToken, params) {
    check.string(grantToken, "grantToken");
    const body = check.exchangeBody(params);
    return JSON.parse(await this.#with((core) => core.exchange(grantToken, body)));
  }

  async fetch(request) {
    const head = headOf(request);
    const { status, headers, body, log } = await this.#with((core) => core.handle(head, request));
    if (log) this.#log(log);
    return new Response(body, { status, headers });
  }

  #with(work) {
    return withCore(({ VaultCore }) => {
      if (!this.#core) {
        this.#core = new VaultCore(this.#parts.kv, this.#parts.options);
        this.#parts = undefined;
      }
      return work(this.#core);
    });
  }
}

class DeveloperVault {
  #with;

  constructor(withVault, developerId) {
    this.#with = withVault;
    this.developerId = developerId;
  }

  async store(params) {
    const body = check.storeBody(params);
    return JSON.parse(await this.#with((core) => core.store(this.developerId, body)));
  }

  async list(params) {
    const query = check.listQuery(params);
    return JSON.parse(await this.#with((core) => core.list(this.developerId, query)));
  }

  async get(credentialId) {
    check.string(credentialId, "credentialId");
    return JSON.parse(await this.#with((core) => core.get(this.developerId, credentialId)));
  }

  async delete(credentialId) {
    check.string(credentialId, "credentialId");
    await this.#with((core) => core.delete(this.developerId, credentialId));
  }

  async resolveReference(credentialRef) {
    const body = check.referenceBody(credentialRef);
    return JSON.parse(await this.#with((core) => core.resolveReference(this.developerId, body)));
  }

  async revokeToken(tokenId) {
    check.wellFormed(tokenId, "tokenId");
    await this.#with((core) => core.revokeToken(this.developerId, tokenId));
  }

  async revokeGrant(grantId) {
    check.wellFormed(grantId, "grantId");
    await this.#with((core) => core.revokeGrant(this.developerId, grantId));
  }
}

/** What the core wants of a request beside its body. */
function headOf(request) {
  if (typeof request?.url !== "string" || typeof request.method !== "string" || typeof request.headers?.get !== "function") {
    throw new TypeError("request must be a Request");
  }
  const { origin, pathname, search } = new URL(request.url);
  const header = (name) => request.headers.get(name) ?? undefined;
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    authorization: header("authorization"),
    contentType: header("content-type"),
    origin: header("origin"),
    dpop: header("dpop"),
    base: origin,
  };
}

/** One line of JSON, as the Worker logs. */
function writeToConsole(entry) {
  console[{ info: "log" }[entry.level] ?? entry.level](JSON.stringify(entry));
}
