// Deno: WebAssembly is a module like any other, and needs no permission to be read.

import * as exports from "./grant_vault_bg.wasm";
import { setLoader } from "./core.js";

setLoader({ now: () => exports });

export * from "./index.js";
