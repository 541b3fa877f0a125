// How the console and the reference are bundled. A page's policy allows files of its own alone: nothing may
// be inlined.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { renderReference } from "../scripts/lib/reference.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Renders openapi.json into reference.html. */
const reference = {
  name: "reference",
  transformIndexHtml: (html) => html.replace("<!-- reference -->", () => renderReference(JSON.parse(readFileSync(here("openapi.json"), "utf8")))),
};

export default defineConfig({
  plugins: [reference],
  resolve: {
    // The package as it is published, not its sources.
    alias: { "grant-vault": here("../pkg/dist/web.js") },
  },
  build: {
    target: "es2022",
    rollupOptions: { input: [here("index.html"), here("reference.html")] },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
