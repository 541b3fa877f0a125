// Grant tokens verified without a vault.

import * as check from "./check.js";
import { coreNow, withCore } from "./core.js";

export class GrantVerifier {
  #options;
  #core;

  constructor(options) {
    this.#options = check.grantOptions(options, "options");
  }

  async verify(grantToken) {
    check.string(grantToken, "grantToken");
    return withCore(({ VerifierCore }) => {
      this.#core ??= new VerifierCore(this.#options);
      return this.#core.verify(grantToken);
    });
  }

  permits(grant, service) {
    return this.permittingScopes(grant, service).length > 0;
  }

  permittingScopes(grant, service) {
    const scopes = check.strings(check.object(grant, "grant").scopes, "grant.scopes");
    return coreNow().permittingScopes(scopes, check.string(service, "service"));
  }

  scopesFor(service) {
    return coreNow().scopesFor(check.string(service, "service"));
  }
}
