// .dev.vars and the development issuer: what is added, what is left alone, what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { appendDevVars, missingDevVars, parseDevVars, readTomlVars } from "./lib/devvars.mjs";
import { DEV_ISSUER, makeIssuer, publicJwks, readIssuer, whyNoGrant } from "./lib/issuer.mjs";
import { Problem } from "./lib/run.mjs";

const issuer = makeIssuer();
const names = (missing) => missing.map(({ name }) => name);
const ALL = ["VAULT_ENCRYPTION_KEY", "ADMIN_API_KEY", "SIGNUP", "GRANT_ISSUER", "GRANT_JWKS", "GRANT_JWKS_URL"];

test("the first run adds every setting, and what is written reads back", () => {
  const missing = missingDevVars({}, issuer);
  assert.deepEqual(names(missing), ALL);
  const settings = parseDevVars(appendDevVars("", missing));
  assert.deepEqual(settings, Object.fromEntries(missing.map(({ name, value }) => [name, value])));
  assert.equal(Buffer.from(settings.VAULT_ENCRYPTION_KEY, "base64").length, 32);
  assert.equal(settings.SIGNUP, "open");
  assert.equal(whyNoGrant(settings, issuer), undefined);
});

test("secrets are fresh each time", () => {
  const [key, admin] = missingDevVars({}, issuer);
  const [otherKey, otherAdmin] = missingDevVars({}, issuer);
  assert.notEqual(key.value, otherKey.value);
  assert.notEqual(admin.value, otherAdmin.value);
});

test("the private key is not in what the Worker gets", () => {
  assert.deepEqual(Object.keys(publicJwks(issuer).keys[0]), ["kty", "crv", "x", "y", "kid", "alg", "use"]);
  assert.ok(!appendDevVars("", missingDevVars({}, issuer)).includes(issuer.d));
});

test("a name that is there stays, even when it is empty", () => {
  const text = "SIGNUP=\nVAULT_ENCRYPTION_KEY = mine # a comment\nOTHER=1";
  const missing = missingDevVars(parseDevVars(text), issuer);
  assert.deepEqual(names(missing), ["ADMIN_API_KEY", "GRANT_ISSUER", "GRANT_JWKS", "GRANT_JWKS_URL"]);
  const result = appendDevVars(text, missing);
  assert.ok(result.startsWith(`${text}\n`));
  assert.equal(parseDevVars(result).VAULT_ENCRYPTION_KEY, "mine");
  assert.deepEqual(missingDevVars(parseDevVars(result), issuer), []);
});

test("another issuer's settings are not mixed with the development issuer's", () => {
  for (const settings of [
    { GRANT_ISSUER: "https://grantex.dev" },
    { GRANT_JWKS_URL: "https://id.example/jwks.json" },
    { GRANT_JWKS: JSON.stringify(publicJwks(makeIssuer())) },
    { GRANT_JWKS: "not JSON" },
  ]) {
    assert.deepEqual(names(missingDevVars(settings, issuer)), ALL.slice(0, 3), JSON.stringify(settings));
    assert.match(whyNoGrant(settings, issuer), /\S/);
  }
});

test("half of the development issuer's settings is completed", () => {
  assert.ok(names(missingDevVars({ GRANT_ISSUER: DEV_ISSUER }, issuer)).includes("GRANT_JWKS"));
  assert.ok(names(missingDevVars({ GRANT_JWKS: JSON.stringify(publicJwks(issuer)) }, issuer)).includes("GRANT_ISSUER"));
});

test("why there is no grant token", () => {
  const good = { GRANT_ISSUER: DEV_ISSUER, GRANT_JWKS: JSON.stringify(publicJwks(issuer)) };
  const both = { keys: [...publicJwks(makeIssuer()).keys, ...publicJwks(issuer).keys] };
  assert.equal(whyNoGrant({ ...good, GRANT_JWKS: JSON.stringify(both) }, issuer), undefined);
  assert.match(whyNoGrant({}, undefined), /npm start/);
  assert.match(whyNoGrant({}, issuer), /not both set/);
  assert.match(whyNoGrant({ ...good, GRANT_ISSUER: "" }, issuer), /not both set/);
  assert.match(whyNoGrant(good, undefined), /private key .* not there/);
  assert.match(whyNoGrant({ ...good, GRANT_ISSUER: "https://grantex.dev" }, issuer), /GRANT_ISSUER is https:\/\/grantex\.dev/);
  assert.match(whyNoGrant({ ...good, GRANT_JWKS: JSON.stringify(publicJwks(makeIssuer())) }, issuer), /does not hold/);
  const sameKid = { keys: [{ ...publicJwks(makeIssuer()).keys[0], kid: issuer.kid }] };
  assert.match(whyNoGrant({ ...good, GRANT_JWKS: JSON.stringify(sameKid) }, issuer), /does not hold/);
});

test("a damaged .dev.vars is refused, naming the line and no value", () => {
  for (const [text, line] of [
    ["A=1\nVAULT_ENCR", 2],
    ["A='1'\n\nGRANT_JWKS='{\"keys\":[{\"kty\":\"EC\",\"cr", 3],
    ['A="open\nB=2', 1],
    ["\0\0\0\0", 1],
  ]) {
    assert.throws(() => parseDevVars(text), (error) => error instanceof Problem && error.message.includes(`line ${line}:`), JSON.stringify(text));
  }
  assert.throws(() => parseDevVars("KEY='s3cret"), (error) => !error.message.includes("s3cret"));
});

test("what dotenv accepts is read as dotenv reads it", () => {
  const text = ["# comment", "export A=1", "B: two", "C='a # b' # c", 'D="x\\ny"', "E=`q'\"`", "  F = spaced out  ", "G=a=b==", "H='two", "lines'", ""].join("\r\n");
  assert.deepEqual(parseDevVars(text.replaceAll("\r\n", "\n")), {
    A: "1", B: "two", C: "a # b", D: "x\ny", E: "q'\"", F: "spaced out", G: "a=b==", H: "two\nlines",
  });
  assert.equal(parseDevVars("A=1\r\nB='2'\r\n").B, "2");
});

test("a damaged issuer key is refused without being shown", () => {
  const cut = JSON.stringify(issuer).slice(0, -20);
  const mixed = JSON.stringify({ ...issuer, x: makeIssuer().x });
  for (const text of ["", "{}", cut, mixed, JSON.stringify(publicJwks(issuer).keys[0])]) {
    assert.throws(() => readIssuer(text), (error) => error instanceof Problem && !error.message.includes(issuer.d.slice(0, 8)));
  }
  assert.deepEqual(readIssuer(JSON.stringify(issuer)), issuer);
});

test("wrangler.toml's [vars] count where .dev.vars is silent", () => {
  const toml = 'name = "x"\n[vars]\n# GRANT_ISSUER = "no"\nGRANT_AUDIENCE = "https://vault.example"\nSIGNUP = \'closed\'\n[other]\nX = "y"\n';
  assert.deepEqual(readTomlVars(toml), { GRANT_AUDIENCE: "https://vault.example", SIGNUP: "closed" });
  assert.deepEqual(readTomlVars("name = 1"), {});
});
