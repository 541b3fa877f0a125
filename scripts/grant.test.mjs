// Grant tokens: durations, claims, signature, and the command line.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { DEV_ISSUER, makeIssuer, parseDuration, publicJwks, readDeveloper, signGrant } from "./lib/issuer.mjs";
import { at, Problem } from "./lib/run.mjs";

test("durations", () => {
  for (const [text, seconds] of [["30s", 30], ["15m", 900], ["1h", 3600], ["7d", 604_800], ["400d", 34_560_000]]) {
    assert.equal(parseDuration(text), seconds);
  }
  for (const text of ["", "1", "h", "0s", "-1h", "1.5h", "1 h", "1w", "1h30m", "401d", "99999999999999s"]) {
    assert.throws(() => parseDuration(text), Problem, text);
  }
});

test("a token verifies against the published key and says what was asked for", async () => {
  const issuer = makeIssuer();
  const token = await signGrant(issuer, { developer: "dev_1", principal: "user_1", scopes: ["github:read", "slack:*"], seconds: 60, audience: "https://vault.example" });
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(publicJwks(issuer)), { issuer: DEV_ISSUER, audience: "https://vault.example" });
  assert.deepEqual(protectedHeader, { alg: "ES256", typ: "at+jwt", kid: issuer.kid });
  const { jti, iat, exp, "urn:grantex:grant": grant, ...rest } = payload;
  assert.deepEqual(rest, { iss: DEV_ISSUER, sub: "user_1", aud: "https://vault.example", scope: "github:read slack:*" });
  assert.equal(exp - iat, 60);
  assert.ok(Math.abs(iat - Date.now() / 1000) < 5);
  assert.match(jti, /^tok_./);
  assert.equal(grant.developer_id, "dev_1");
  assert.match(grant.agent_did, /^did:/);
  assert.match(grant.grant_id, /^grnt_./);
});

test("without an audience there is no aud, and no two tokens are the same", async () => {
  const issuer = makeIssuer();
  const claims = async () => JSON.parse(Buffer.from((await signGrant(issuer, { developer: "d", principal: "p", scopes: ["*"], seconds: 1 })).split(".")[1], "base64url"));
  const [one, other] = [await claims(), await claims()];
  assert.ok(!("aud" in one));
  assert.notEqual(one.jti, other.jti);
  assert.notEqual(one["urn:grantex:grant"].grant_id, other["urn:grantex:grant"].grant_id);
});

test("a damaged developer.json is refused", () => {
  for (const text of ["", "{", "null", '{"developerId":"dev_1"}', '{"developerId":1,"apiKey":"k"}']) assert.throws(() => readDeveloper(text), Problem, text);
  assert.deepEqual(readDeveloper('{"developerId":"dev_1","apiKey":"k","more":1}'), { developerId: "dev_1", apiKey: "k" });
});

test("the command line keeps stdout for the token", () => {
  const grant = (...args) => spawnSync(process.execPath, [at("scripts", "grant.mjs"), ...args], { encoding: "utf8" });
  const help = grant("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--principal/);
  for (const [args, complaint] of [
    [[], /--principal is missing/],
    [["--principal", "p"], /--scope is missing/],
    [["--principal", "p", "--scope", " "], /--scope is missing/],
    [["--principal", "p", "--scope", "s", "--expires", "soon"], /"soon" is no duration/],
    [["--unknown"], /--unknown/],
    [["stray"], /stray/],
  ]) {
    const { status, stdout, stderr } = grant(...args);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, complaint);
  }
});
