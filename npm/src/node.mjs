export { GrantVerifier, MemoryKV, Sealer, Vault, VaultClient, VaultError, init } from "./node.cjs";
