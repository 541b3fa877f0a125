// The Worker's entry point: an object with `fetch`, in front of the class that worker-build makes. That
// one stands behind proxies, of which each request makes new ones; here a request goes straight to the
// WebAssembly. An instance that ended in a trap needs no class either: wasm-bindgen's own glue makes a new one.
//
// scripts/build.mjs bundles it with what worker-build made, "worker-build" below, into build/index.js.

import Entrypoint from "worker-build";

const { fetch } = Entrypoint.prototype;

export default {
  fetch(request, env, ctx) {
    return fetch.call({ env, ctx }, request);
  },
};
