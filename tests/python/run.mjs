// Runs test_sdk.py, the published Python SDK's tests, against the built Worker. The SDK is installed in
// .tools/python when it isn't there yet. Exits as the tests do.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setUpPython } from "../../scripts/lib/setup.mjs";
import { Vault } from "../http/harness.mjs";

const { config } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const python = await setUpPython("grantex");
const vault = new Vault();
try {
  await vault.start();
  const developer = await vault.newDeveloper();
  const token = (fields, options) => developer.grant({ principal: "user_abc123", scopes: ["github:read"], ...fields }, options);
  const [jti, grantId] = [randomUUID(), `grnt_${randomUUID()}`];
  const env = {
    ...process.env,
    GRANTEX_VERSION: config.grantex,
    VAULT_URL: vault.worker.url,
    VAULT_API_KEY: developer.apiKey,
    VAULT_GRANT_TOKEN: await token({}, { alg: "RS256" }),
    VAULT_GRANT_TOKEN_FOR_SLACK: await token({ scopes: ["slack:read"] }, { spelling: "legacy" }),
    VAULT_GRANT_TOKEN_OF_NOBODY: await token({ principal: "user_nobody" }),
    VAULT_TOKEN_TO_REVOKE: await token({ principal: "user_revoked", jti }),
    VAULT_JTI_TO_REVOKE: jti,
    VAULT_TOKEN_OF_GRANT_TO_REVOKE: await token({ principal: "user_revoked", grantId }, { spelling: "legacy" }),
    VAULT_GRANT_TO_REVOKE: grantId,
    VAULT_TOKEN_TO_REFER: await token({ principal: "user_referred" }),
  };
  const tests = spawn(python, [fileURLToPath(new URL("test_sdk.py", import.meta.url)), ...process.argv.slice(2)], {
    env,
    stdio: "inherit",
  });
  process.exitCode = await new Promise((resolve) => tests.on("exit", (code) => resolve(code ?? 1)));
  for (const secret of ["gho_xxxxxxxxxxxx", "ghr_xxxxxxxxxxxx", "gho_stored", "gho_revoked", "gho_referred", "someone@example.com"]) {
    vault.secrets.add("a secret of the SDK's tests", secret);
  }
  await vault.assertNothingLeaked();
} finally {
  await vault.stop();
}
