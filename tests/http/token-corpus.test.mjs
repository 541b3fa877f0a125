// Proves that the host's WebCrypto and jwt-simple, two engines that share no code, say the same of every
// signature in the corpus of tests/grant_tokens.rs, its random mutations included. Their claims are of
// another year, so that what comes after the signature is not compared here.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Vault, assertStatus } from "./harness.mjs";

/** [{settings, token, reason}], as the native engine judged them. */
function nativeCorpus() {
  const folder = mkdtempSync(join(tmpdir(), "grant-tokens-"));
  const file = join(folder, "corpus.jsonl");
  try {
    const env = { ...process.env, GRANT_TOKEN_CORPUS: file };
    execFileSync("cargo", ["test", "--locked", "--quiet", "--test", "grant_tokens"], { env, stdio: "pipe" });
    return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether a token arrives as it is when it is sent in a header: visible ASCII, and not too long for HTTP. */
const canBeSent = ({ token }) => /^[\x21-\x7e]{1,14000}$/.test(token);
const isAboutSignature = (reason) => reason?.startsWith("signature:") ?? false;

describe("jwt-simple and WebCrypto", () => {
  const bySettings = Map.groupBy(nativeCorpus().filter(canBeSent), ({ settings }) => JSON.stringify(settings));
  for (const [json, tokens] of bySettings) {
    const settings = Object.fromEntries(Object.entries(JSON.parse(json)).map(([name, value]) => [name, value ?? undefined]));
    const kids = JSON.parse(settings.GRANT_JWKS).keys.map(({ kid }) => kid);
    test(`agree on ${tokens.length} signatures, keys ${kids.join(", ")}`, async () => {
      const vault = await new Vault({ settings }).start();
      try {
        const counts = { good: 0, bad: 0 };
        for (const { token, reason } of tokens) {
          const answer = assertStatus(await vault.exchange(token, "github"), 401);
          const line = await vault.worker.logLineOf(answer.body.requestId);
          assert.equal(isAboutSignature(line.reason), isAboutSignature(reason), `${token}\nhere: ${line.reason}, natively: ${reason}`);
          counts[isAboutSignature(reason) ? "bad" : "good"] += 1;
        }
        assert.ok(counts.good > 0, JSON.stringify(counts));
      } finally {
        await vault.stop();
      }
    });
  }

  test("were asked of enough of them", () => {
    const all = [...bySettings.values()].flat();
    const bad = all.filter(({ reason }) => isAboutSignature(reason));
    assert.ok(all.length > 500 && bad.length > 100, `${all.length} tokens, ${bad.length} with a bad signature`);
  });
});
