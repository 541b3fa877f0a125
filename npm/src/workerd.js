// Cloudflare Workers: WebAssembly is imported as a compiled module, and no request waits for another.

import module from "./grant_vault_bg.wasm";
import { instantiate, setLoader } from "./core.js";

setLoader({ now: () => instantiate(module) });

export * from "./index.js";
