// The served vault against its contract: schemathesis sends each operation what the contract allows and what
// it forbids, follows what one answer gives the next call, and every answer must be one that the contract has.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { at } from "../../scripts/lib/run.mjs";
import { setUpPython } from "../../scripts/lib/setup.mjs";
import { makeRootKey, serveVault } from "../http/harness.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const contract = at("www", "openapi.json");
// While root keys change, every call has the most to do.
const vault = await serveVault({ assets: at("build", "www"), settings: { VAULT_PREVIOUS_KEYS: makeRootKey() } });
const folder = mkdtempSync(join(tmpdir(), "grant-vault-contract-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Two developers, an agent of a user of the first's, and the operator: who the calls are made by. */
async function makeWorld() {
  const [one, other] = [await vault.newDeveloper(), await vault.newDeveloper()];
  const credential = { principalId: "user_abc123", service: "github", accessToken: "gho_exchanged_in_the_contract" };
  await one.store(credential);
  const grantToken = await one.grant({ principal: credential.principalId, scopes: ["github:read", "slack:read"] });
  const identity = (name, token) => ({ name, fixedHeaders: [{ name: "Authorization", value: `Bearer ${token}` }] });
  return {
    identities: {
      auth: [
        identity("developer", one.apiKey),
        identity("other developer", other.apiKey),
        identity("agent", grantToken),
        identity("operator", vault.adminKey),
      ],
    },
    world: {
      url: vault.worker.url,
      apiKeys: [one.apiKey, other.apiKey],
      developerIds: [one.developerId, other.developerId],
      credential,
      grantToken,
      succeeded: join(folder, "succeeded.json"),
    },
  };
}

/** Runs schemathesis and gives its exit code and what it printed. */
async function schemathesis({ identities, world }) {
  const files = { CONTRACT_IDENTITIES: join(folder, "identities.json"), CONTRACT_WORLD: join(folder, "world.json") };
  writeFileSync(files.CONTRACT_IDENTITIES, JSON.stringify(identities));
  writeFileSync(files.CONTRACT_WORLD, JSON.stringify(world));
  const run = ["-m", "schemathesis.cli", "--config-file", join(here, "schemathesis.toml"), "run", contract, "--checks", "all", "--url", vault.worker.url];
  const env = { ...process.env, ...files, PYTHONDONTWRITEBYTECODE: "1", HYPOTHESIS_STORAGE_DIRECTORY: join(folder, "hypothesis") };
  const child = spawn(await setUpPython("schemathesis"), [...run, "--no-color"], { cwd: here, env });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  return { code: await new Promise((resolve) => child.on("close", resolve)), text };
}

test("every operation keeps to the contract, and has succeeded", async () => {
  const { identities, world } = await makeWorld();
  const { code, text } = await schemathesis({ identities, world });
  assert.equal(code, 0, text);
  const operations = Object.entries(JSON.parse(readFileSync(contract, "utf8")).paths).flatMap(([path, { parameters, ...item }]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(JSON.parse(readFileSync(world.succeeded, "utf8")), operations.sort());
  console.log(text.match(/^ *Test cases:\n.*/m)?.[0].replace(/\s+/g, " "));
});
