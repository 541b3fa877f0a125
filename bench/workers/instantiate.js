// Instantiates the vault's module as often as the path says. Its clock stands still meanwhile: the
// harness takes the time.

import module from "module.wasm";

const imports = {};
for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] = kind === "tag" ? WebAssembly.JSTag : () => {};
}

export default {
  fetch(request) {
    const times = Number(new URL(request.url).pathname.slice(1));
    for (let i = 0; i < times; i++) new WebAssembly.Instance(module, imports);
    return new Response("done");
  },
};
