// Texts sealed by the caller, before anybody else sees them. The layout is in src/bindings/sealer.rs.

import * as check from "./check.js";
import { withCore } from "./core.js";

export class Sealer {
  #key;

  constructor(key) {
    this.#key = check.key(key, "key");
  }

  async seal(text, context) {
    check.wellFormed(text, "text");
    check.wellFormed(context, "context");
    return withCore((core) => core.seal(this.#key, context, text));
  }

  async open(sealed, context) {
    check.string(sealed, "sealed");
    check.wellFormed(context, "context");
    return withCore((core) => core.open(this.#key, context, sealed));
  }
}
