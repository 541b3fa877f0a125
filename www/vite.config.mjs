// How the console is bundled. The page's policy allows files of its own alone: nothing may be inlined.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  resolve: {
    // The package as it is published, not its sources.
    alias: { "grant-vault": fileURLToPath(new URL("../pkg/dist/web.js", import.meta.url)) },
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
