// Browsers, and any runtime that has no entry of its own: the core is fetched when it is first needed.

import { fetchExports, setLoader } from "./core.js";

// Bundlers know this form, and bring the file along.
setLoader({ later: () => fetchExports(new URL("./grant_vault_bg.wasm", import.meta.url)) });

export * from "./index.js";
