// The WebAssembly core: loaded once, when it is first needed, in the way of the runtime.

import * as bindings from "./grant_vault_bg.js";
import { VaultError, toVaultError } from "./errors.js";

const IMPORTS = { "./grant_vault_bg.js": bindings };

/**
 * How this runtime comes by the core: `now` where it can be had at once, `later` where it is fetched.
 * Either gives the exports of an instance. The entry file of the runtime sets it.
 * @type {{now?: () => WebAssembly.Exports, later?: () => Promise<WebAssembly.Exports>}}
 */
let loader;
let isLoaded = false;
/** @type {Promise<void> | undefined} */
let loading;

export function setLoader(given) {
  loader = given;
}

export function instantiate(module) {
  return new WebAssembly.Instance(module, IMPORTS).exports;
}

/** Browsers instantiate a module of this size asynchronously only. */
export async function instantiateLater(module) {
  return (await WebAssembly.instantiate(module, IMPORTS)).exports;
}

function start(exports) {
  if (isLoaded) return;
  bindings.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  isLoaded = true;
}

function notLoaded(message, cause) {
  return new VaultError(message, { code: "NOT_LOADED", cause });
}

/** The core at once, or a VaultError where it has to be fetched and wasn't yet. */
export function coreNow() {
  if (!isLoaded) {
    if (!loader.now) throw notLoaded("The WebAssembly core is not loaded yet: call `await init()` first");
    try {
      start(loader.now());
    } catch (cause) {
      throw notLoaded("The WebAssembly core could not be loaded", cause);
    }
  }
  return bindings;
}

/** The core, loaded if need be. Nobody waits for another's loading where none is needed. */
async function core() {
  if (isLoaded || loader.now) return coreNow();
  await load(loader.later);
  return bindings;
}

function load(exports) {
  loading ??= (async () => {
    try {
      start(await exports());
    } catch (cause) {
      loading = undefined; // the next call tries again
      throw notLoaded("The WebAssembly core could not be loaded", cause);
    }
  })();
  return loading;
}

/** Does some work with the core; whatever it throws becomes a VaultError. */
export async function withCore(work) {
  const loaded = await core();
  try {
    return await work(loaded);
  } catch (thrown) {
    throw toVaultError(thrown);
  }
}

export async function init(source) {
  const exports = source === undefined ? undefined : exportsOf(source);
  if (isLoaded) return;
  if (exports) await load(exports);
  else await core();
}

/** How the exports are had from what the caller has. */
function exportsOf(source) {
  if (source instanceof WebAssembly.Module) return () => instantiateLater(source);
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return async () => instantiateLater(await WebAssembly.compile(source));
  if (typeof source === "string" || source instanceof URL) return () => fetchExports(source);
  throw new TypeError("source must be a URL, a WebAssembly.Module, or the bytes of one");
}

/** Fetches and instantiates, whatever content type the server gives WebAssembly. */
export async function fetchExports(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered with status ${response.status}`);
  const isWasm = response.headers.get("content-type")?.split(";")[0].trim() === "application/wasm";
  return instantiateLater(isWasm ? await WebAssembly.compileStreaming(response) : await WebAssembly.compile(await response.arrayBuffer()));
}
