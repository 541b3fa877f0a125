// Node and Bun. This becomes node.cjs, which `import` goes through as well: one instance for both.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { instantiate, setLoader } from "./core.js";

setLoader({ now: () => instantiate(new WebAssembly.Module(readFileSync(join(__dirname, "grant_vault_bg.wasm")))) });

export * from "./index.js";
