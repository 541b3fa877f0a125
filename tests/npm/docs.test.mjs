// What the documentation shows runs, and prints what its comments say; so do the examples.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { at, nodeBinary } from "../../scripts/lib/run.mjs";
import { installed, project, readmeBlocks, readmeIssuer } from "./support/package.mjs";

const EXPORTS = ["GrantVerifier", "MemoryKV", "Sealer", "Vault", "VaultClient", "VaultError", "init"];

/** Runs a program to its end: {code, stdout, stderr}. */
function run(folder, file, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(nodeBinary(), [file], { cwd: folder, env: { ...process.env, ...env }, timeout: 60_000 });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) child[stream].on("data", (chunk) => (output[stream] += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
}

const examples = readmeBlocks().filter(({ language, code }) => language === "js" && !code.startsWith("// issuer.mjs"));

test("the README has an example of every export", () => {
  const imported = new Set(examples.flatMap(({ code }) => [...code.matchAll(/import \{([^}]+)\} from "grant-vault"/g)].flatMap(([, names]) => names.split(",").map((name) => name.trim()))));
  assert.deepEqual([...imported].sort(), EXPORTS);
});

for (const { code, line } of examples) {
  test(`README, line ${line}`, async () => {
    const example = project({ "issuer.mjs": readmeIssuer(), "example.mjs": code });
    const { code: status, stdout, stderr } = await run(example, "example.mjs");
    assert.equal(status, 0, stderr);
    const printed = stdout.trimEnd().split("\n").filter(Boolean);
    const said = code.split("\n").filter((text) => /^\s*console\.log\(/.test(text)).map((text) => /;\s*\/\/ (.*)$/.exec(text)?.[1]);
    assert.equal(printed.length, said.length, stdout);
    said.forEach((comment, index) => {
      const [, start] = /([{[].*?)…/.exec(comment) ?? [];
      if (start) assert.ok(printed[index].startsWith(start.trim()), `${printed[index]} isn't ${comment}`);
      else assert.equal(printed[index], comment);
    });
  });
}

test("the example agent exchanges its grant and calls the API with it", async () => {
  const { Vault, MemoryKV, issuer, jwks, signGrant } = await installed();
  const vault = new Vault({ kv: new MemoryKV(), encryptionKey: new Uint8Array(32), grants: { issuer, jwks }, log: () => {} });
  const developer = vault.developer("dev_1");
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url === "/github/user/repos") {
      seen.push(request.headers.authorization);
      if (request.headers.authorization !== "Bearer gho_1") return response.writeHead(401).end();
      return response.writeHead(200, { "Content-Type": "application/json" }).end('[{"full_name":"acme/one"},{"full_name":"acme/two"}]');
    }
    const body = request.method === "POST" ? Buffer.concat(chunks) : undefined;
    const answer = await vault.fetch(new Request(`http://vault${request.url}`, { method: request.method, headers: request.headers, body }));
    return response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  const agent = project({}, { from: at("examples", "agent") });
  const start = (GRANT_TOKEN) => run(agent, "agent.mjs", { VAULT_URL: url, GITHUB_API: `${url}/github`, GRANT_TOKEN });
  const grantFor = (scopes) => signGrant({ developerId: "dev_1", principalId: "user_1", scopes });

  const unconnected = await start(await grantFor(["github:read"]));
  assert.deepEqual([unconnected.code, /hasn't connected/.test(unconnected.stderr)], [1, true], unconnected.stderr);
  await developer.store({ principalId: "user_1", service: "github", accessToken: "gho_1" });
  const { code, stdout, stderr } = await start(await grantFor(["github:read"]));
  assert.deepEqual([code, stdout, stderr], [0, "acme/one\nacme/two\n", ""]);
  assert.deepEqual(seen, ["Bearer gho_1"]);

  assert.match((await start(await grantFor(["slack:read"]))).stderr, /doesn't cover/);
  assert.match((await start("nonsense")).stderr, /has ended/);
  assert.equal((await start("")).code, 2);
  await developer.store({ principalId: "user_1", service: "github", accessToken: "gho_1", tokenExpiresAt: new Date(0) });
  assert.match((await start(await grantFor(["*"]))).stderr, /expired/);
  assert.equal(seen.length, 1);
});
