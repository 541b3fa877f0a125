// What the package exports, in every runtime. Types and documentation are in index.d.ts.

export { VaultClient } from "./client.js";
export { init } from "./core.js";
export { VaultError } from "./errors.js";
export { MemoryKV } from "./memory-kv.js";
export { Sealer } from "./sealer.js";
export { Vault } from "./vault.js";
export { GrantVerifier } from "./verifier.js";
