// Proves that a token which is not a good grant gets one and the same 401, whatever is wrong with it,
// while the log says what; and that the odd tokens which are legal are taken.

import assert from "node:assert/strict";
import { KeyObject } from "node:crypto";
import { describe, test } from "node:test";
import { assertStatus, serveVault, unique, withoutRequestId } from "./harness.mjs";
import { base64url, forge, signatures } from "./support/forge.mjs";
import { ISSUER, grantClaims, makeKey, now } from "./support/grants.mjs";

const AUDIENCE = "https://vault.test";
const DAY = 24 * 60 * 60;

let rsa, rsa2, ec, p384, unpublished;
const vault = await serveVault({
  async settings(issuer) {
    ({ RS256: rsa, ES256: ec } = issuer.keys);
    rsa2 = await makeKey("RS256", "rsa-2");
    p384 = await makeKey("ES384", "ec-384");
    unpublished = await makeKey("ES256", "unpublished");
    const keys = [
      ...issuer.jwks.keys,
      rsa2.jwk,
      p384.jwk,
      { ...rsa2.jwk, kid: "for-encryption", use: "enc" },
      { ...rsa2.jwk, kid: "for-ps256", alg: "PS256" },
      { ...rsa2.jwk, kid: "twice" },
      { ...rsa.jwk, kid: "twice" },
      { kty: "oct", kid: "secret", alg: "HS256", k: base64url("a published secret") },
    ];
    return { GRANT_AUDIENCE: AUDIENCE, GRANT_JWKS: JSON.stringify({ keys }) };
  },
});

const developer = await vault.newDeveloper();
const principal = unique("user");
assertStatus(await developer.store({ principalId: principal, service: "github", accessToken: unique("gho") }), 201);
const refusal = await vault.exchange("not-a-token", "github");

/** Good claims, standard unless told, with `changes` laid over them; undefined removes one. */
const claims = (changes = {}, spelling = "standard") => ({
  ...grantClaims(spelling, { developerId: developer.developerId, principal, scopes: ["github:read"] }),
  aud: AUDIENCE,
  ...changes,
});
const urn = (changes) => ({ "urn:grantex:grant": { ...claims()["urn:grantex:grant"], ...changes } });

/** A token of good claims and of a header with `header` laid over a good one. */
const withHeader = (header, key = ec, payload = claims()) =>
  forge({ header: { alg: key.alg, kid: key.kid, typ: "JWT", ...header }, payload, key, signature: signatures[key.alg] });
/** A token signed with ES256 of claims as an object, or as the JSON text itself. */
const withClaims = (payload) => withHeader({}, ec, payload);
const good = () => withClaims(claims());

/** A good token, padded to `length` characters. Base64 can't have every length: the header helps out. */
function ofLength(length) {
  for (const pad of ["", "x", "xx"]) {
    const [header, , signature] = withHeader({ pad }).split(".");
    const left = length - header.length - signature.length - 2;
    if (left % 4 === 1) continue;
    const used = Buffer.byteLength(JSON.stringify(claims({ pad: "" })));
    return withHeader({ pad }, ec, claims({ pad: "x".repeat(Math.floor((left * 3) / 4) - used) }));
  }
}

async function refused(token) {
  vault.issuer.note(token);
  const answer = assertStatus(await vault.exchange(token, "github"), 401);
  assert.deepEqual(withoutRequestId(answer), withoutRequestId(refusal), "one message for all");
  assert.deepEqual(Object.keys(answer.headers).sort(), Object.keys(refusal.headers).sort());
  const line = await vault.worker.logLineOf(answer.body.requestId);
  assert.ok(typeof line.reason === "string" && line.reason, `the log gives a reason: ${JSON.stringify(line)}`);
  return line.reason;
}

async function taken(token) {
  vault.issuer.note(token);
  assertStatus(await vault.exchange(token, "github"), 200);
}

/** One test for each {name: token}, and none may be taken; `why` is what the log says of them all. */
function refuseEach(title, tokens, why = /./) {
  describe(title, () => {
    for (const [name, make] of Object.entries(tokens)) {
      test(name, async () => assert.match(await refused(await make()), why));
    }
  });
}

function takeEach(title, tokens) {
  describe(title, () => {
    for (const [name, make] of Object.entries(tokens)) test(name, async () => taken(await make()));
  });
}

const spki = (key) => KeyObject.from(key.publicKey).export({ type: "spki", format: "pem" });

refuseEach("algorithms and keys", {
  "alg none, no signature": () => forge({ header: { alg: "none" }, payload: claims() }),
  "alg NONE with a real signature": () => withHeader({ alg: "NONE" }),
  "alg none with the kid of a key": () => forge({ header: { alg: "none", kid: ec.kid }, payload: claims() }),
  "HS256 under the RSA key's PEM": () => forge({ header: { alg: "HS256", kid: rsa.kid }, payload: claims(), key: spki(rsa) }),
  "HS256 under the RSA key's trimmed PEM": () =>
    forge({ header: { alg: "HS256", kid: rsa.kid }, payload: claims(), key: spki(rsa).trim() }),
  "HS256 under the RSA key's JWK": () =>
    forge({ header: { alg: "HS256", kid: rsa.kid }, payload: claims(), key: JSON.stringify(rsa.jwk) }),
  "HS256 under the RSA key's modulus": () =>
    forge({ header: { alg: "HS256", kid: rsa.kid }, payload: claims(), key: Buffer.from(rsa.jwk.n, "base64url") }),
  "HS256 under a published oct key": () =>
    forge({ header: { alg: "HS256", kid: "secret" }, payload: claims(), key: "a published secret" }),
  "RS512, truly signed": () => withHeader({ alg: "RS512" }, { ...rsa, alg: "RS512" }),
  "ES384, truly signed by a published P-384 key": () => vault.issuer.sign(claims(), { alg: "ES384", key: p384 }),
  "ES256 under the P-384 key's kid": () => withHeader({ kid: p384.kid }),
  "alg missing": () => withHeader({ alg: undefined }),
  "alg null": () => withHeader({ alg: null }),
  "alg as an array": () => withHeader({ alg: ["ES256"] }),
  "alg in lower case": () => withHeader({ alg: "es256" }),
  "kid of another RSA key": () => withHeader({ kid: rsa2.kid }, rsa),
  "kid of an EC key on an RSA token": () => withHeader({ kid: ec.kid }, rsa),
  "kid of an RSA key on an EC token": () => withHeader({ kid: rsa.kid }, ec),
  "alg RS256 on a token signed with the EC key": () => withHeader({ alg: "RS256", kid: rsa.kid }, ec),
  "kid unknown": () => withHeader({ kid: "who" }),
  "kid empty": () => withHeader({ kid: "" }),
  "kid null": () => withHeader({ kid: null }),
  "kid a number": () => withHeader({ kid: 1 }),
  "kid as a path": () => withHeader({ kid: "../../dev/null" }),
  "kid that two keys share": () => withHeader({ kid: "twice" }, rsa2),
  "kid of a key for encryption": () => withHeader({ kid: "for-encryption" }, rsa2),
  "kid of a key for PS256": () => withHeader({ kid: "for-ps256" }, rsa2),
  "no kid where several keys would do": () => withHeader({ kid: undefined }, rsa),
  "a key that isn't published, its jwk in the header": () => withHeader({ kid: undefined, jwk: unpublished.jwk }, unpublished),
  "the same under a published kid": () => withHeader({ kid: ec.kid, jwk: unpublished.jwk }, unpublished),
  "the same with jku": () => withHeader({ kid: "unpublished", jku: "https://evil.test/jwks.json" }, unpublished),
  "the same with x5u": () => withHeader({ kid: "unpublished", x5u: "https://evil.test/x.pem" }, unpublished),
  "the same with x5c": () => withHeader({ kid: "unpublished", x5c: ["MIIB"] }, unpublished),
  "crit naming an extension": () => withHeader({ crit: ["urn:example"], "urn:example": 1 }),
  "crit naming exp": () => withHeader({ crit: ["exp"], exp: now() + 60 }),
  "crit empty": () => withHeader({ crit: [] }),
  "crit null": () => withHeader({ crit: null }),
  "b64 false, with crit": () => withHeader({ b64: false, crit: ["b64"] }),
  "b64 false, without crit": () => withHeader({ b64: false }),
});

refuseEach("signatures", {
  "of another token": () =>
    `${withClaims(claims({ sub: "else" }))
      .split(".")
      .slice(0, 2)
      .join(".")}.${good().split(".")[2]}`,
  empty: () => `${good().split(".").slice(0, 2).join(".")}.`,
  "of zeros": () => forge({ header: { alg: "ES256", kid: ec.kid }, payload: claims(), signature: () => Buffer.alloc(64) }),
  "in DER": () => forge({ header: { alg: "ES256", kid: ec.kid }, payload: claims(), key: ec, signature: signatures.ES256asDer }),
  "with a byte more": () =>
    forge({
      header: { alg: "ES256", kid: ec.kid },
      payload: claims(),
      key: ec,
      signature: (i, k) => Buffer.concat([signatures.ES256(i, k), Buffer.alloc(1)]),
    }),
  "with a byte less": () =>
    forge({
      header: { alg: "RS256", kid: rsa.kid },
      payload: claims(),
      key: rsa,
      signature: (i, k) => signatures.RS256(i, k).subarray(1),
    }),
  "with a bit flipped": () =>
    forge({
      header: { alg: "RS256", kid: rsa.kid },
      payload: claims(),
      key: rsa,
      signature: (i, k) => signatures.RS256(i, k).map((b, n) => (n === 9 ? b ^ 1 : b)),
    }),
  "under a payload with a bit flipped": () =>
    good().replace(/\.(.{40})(.)/, (_, head, char) => `.${head}${char === "A" ? "B" : "A"}`),
});

refuseEach("form", {
  "one part": () => good().split(".")[0],
  "two parts": () => good().split(".").slice(0, 2).join("."),
  "four parts": () => `${good()}.x`,
  "five parts": () => `${good()}.x.y`,
  "a trailing dot": () => `${good()}.`,
  "trailing dots": () => `${good()}..`,
  "a leading dot": () => `.${good()}`,
  "only dots": () => "..",
  "an empty header": () => good().replace(/^[^.]*/, ""),
  "an empty payload": () => good().replace(/\.[^.]*\./, ".."),
  "padding on the header": () => good().replace(".", "=."),
  "padding on the signature": () => `${good()}==`,
  "an invalid base64 character": () => good().replace(/\.../, ".!!"),
  "base64 instead of base64url": () =>
    `${good().split(".").slice(0, 2).join(".")}.${Buffer.alloc(64, 0xff).toString("base64").replaceAll("=", "")}`,
  "stray bits in the last character": () => {
    const [header, payload, signature] = good().split(".");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet[alphabet.indexOf(signature.at(-1)) ^ 1];
    return `${header}.${payload}.${signature.slice(0, -1)}${last}`;
  },
  "whitespace inside": () => good().replace(".", ". "),
  "a tab inside": () => good().replace(".", ".\t"),
  "garbage after the payload's JSON": () => withClaims(`${JSON.stringify(claims())}x`),
  "a second object after the payload's": () => withClaims(`${JSON.stringify(claims())}{}`),
  "a payload that is an array": () => withClaims([claims()]),
  "a payload that is a string": () => withClaims(JSON.stringify("x")),
  "a payload that is null": () => withClaims("null"),
  "a payload that isn't UTF-8": () => withClaims(Buffer.from(JSON.stringify(claims({ x: "\xff" })), "latin1")),
  "a payload nested 10,000 deep": () =>
    withClaims(JSON.stringify(claims()).replace(/}$/, `,"x":${"[".repeat(5000)}${"]".repeat(5000)}}`)),
  "a header that is an array": () => forge({ header: "[]", payload: claims(), key: ec, signature: signatures.ES256 }),
  "a header with garbage after it": () =>
    forge({ header: `{"alg":"ES256","kid":"${ec.kid}"}x`, payload: claims(), key: ec, signature: signatures.ES256 }),
  "a header that names alg twice": () =>
    forge({ header: `{"alg":"none","alg":"ES256","kid":"${ec.kid}"}`, payload: claims(), key: ec, signature: signatures.ES256 }),
  "a claim twice": () => withClaims(JSON.stringify(claims()).replace(/}$/, ',"sub":"else"}')),
  "a claim twice in the grant's object": () =>
    withClaims(JSON.stringify(claims()).replace('"developer_id"', '"developer_id":"dev_x","developer_id"')),
  "a JWE's five parts": () => `${base64url('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.a.b.c.d`,
  "a byte longer than 16 KiB": () => ofLength(16 * 1024 + 1),
  "of 100 KiB": () => ofLength(100 * 1024),
});

const REQUIRED = ["iss", "sub", "jti", "iat", "exp", "scope", "aud", "urn:grantex:grant"];
const LEGACY = ["iss", "sub", "jti", "iat", "exp", "scp", "aud", "agt", "dev"];
const OPTIONAL = ["nbf", "cnf", "act", "client_id", "scp", "agt", "dev", "grnt", "parentGrnt", "delegationDepth"];
const each = (names, make) => Object.fromEntries(names.map((name) => [name, () => withClaims(make(name))]));

refuseEach(
  "claims missing (standard)",
  each(REQUIRED, (name) => claims({ [name]: undefined })),
  /required|audience/,
);
refuseEach(
  "claims missing (legacy)",
  each(LEGACY, (name) => claims({ [name]: undefined }, "legacy")),
  /required|audience/,
);
refuseEach(
  "claims missing in the grant's object",
  each(["agent_did", "developer_id"], (name) => claims(urn({ [name]: undefined }))),
  /required/,
);
refuseEach(
  "claims null (standard)",
  each([...REQUIRED, ...OPTIONAL], (name) => claims({ [name]: null })),
  /null|cnf/,
);
refuseEach(
  "claims null (legacy)",
  each([...LEGACY, "scope", "grnt", "parentGrnt"], (name) => claims({ [name]: null }, "legacy")),
  /null/,
);
refuseEach(
  "claims null in the grant's object",
  each(["agent_did", "developer_id", "grant_id", "parent_grant_id", "delegation_depth"], (name) => claims(urn({ [name]: null }))),
);
refuseEach(
  "claims empty",
  each(["iss", "sub", "jti", "aud"], (name) => claims({ [name]: "" })),
);
refuseEach(
  "claims that are a number",
  each(["iss", "sub", "jti", "scope", "aud", "scp", "dev"], (name) => claims({ [name]: 5 })),
);
refuseEach("claims of another type", {
  "scope as an array": () => withClaims(claims({ scope: ["github:read"] })),
  "scp as a string": () => withClaims(claims({ scp: "github:read" }, "legacy")),
  "scp with a number in it": () => withClaims(claims({ scp: ["github:read", 1] }, "legacy")),
  "the grant's object as an array": () => withClaims(claims({ "urn:grantex:grant": [] })),
  "the grant's object as a string": () => withClaims(claims({ "urn:grantex:grant": "x" })),
  "an empty developer_id": () => withClaims(claims(urn({ developer_id: "" }))),
  "a number as developer_id": () => withClaims(claims(urn({ developer_id: 7 }))),
  "a number as grant_id": () => withClaims(claims(urn({ grant_id: 7 }))),
  // With a key alone it is told so: dpop.test.mjs.
  "cnf, with a certificate": () => withClaims(claims({ cnf: { "x5t#S256": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } })),
  "cnf, empty": () => withClaims(claims({ cnf: {} })),
});

refuseEach(
  "spellings that disagree",
  {
    developer: () => withClaims(claims({ dev: "dev_else" })),
    agent: () => withClaims(claims({ agt: "did:grantex:else" })),
    grant: () => withClaims(claims({ ...urn({ grant_id: "grnt_1" }), grnt: "grnt_2" })),
    "parent grant": () => withClaims(claims({ ...urn({ parent_grant_id: "grnt_1" }), parentGrnt: "grnt_2" })),
    "delegation depth": () => withClaims(claims({ ...urn({ delegation_depth: 1 }), delegationDepth: 2 })),
    "scopes, more in scp": () => withClaims(claims({ scp: ["github:read", "*"] })),
    "scopes, fewer in scp": () => withClaims(claims({ scp: [] })),
  },
  /disagrees/,
);

refuseEach(
  "issuer and audience",
  {
    "another issuer": () => withClaims(claims({ iss: "https://evil.test" })),
    "the issuer with a slash": () => withClaims(claims({ iss: `${ISSUER}/` })),
    "the issuer in capitals": () => withClaims(claims({ iss: ISSUER.toUpperCase() })),
    "another audience": () => withClaims(claims({ aud: "https://else.test" })),
    "audiences without this one": () => withClaims(claims({ aud: ["https://else.test", `${AUDIENCE}/`] })),
    "no audience in the list": () => withClaims(claims({ aud: [] })),
    "a number beside the audience": () => withClaims(claims({ aud: [AUDIENCE, 5] })),
  },
  /issuer|aud/,
);

const numeric = (name, text) => withClaims(JSON.stringify(claims({ [name]: "@" })).replace('"@"', text));
refuseEach(
  "times",
  {
    "exp as a string": () => withClaims(claims({ exp: String(now() + 600) })),
    "exp true": () => withClaims(claims({ exp: true })),
    "exp 1e400": () => numeric("exp", "1e400"),
    "exp 1e300": () => numeric("exp", "1e300"),
    "exp past 64 bits": () => numeric("exp", "18446744073709551616"),
    "exp negative": () => withClaims(claims({ exp: -1 })),
    "exp zero": () => withClaims(claims({ exp: 0 })),
    "exp in milliseconds": () => withClaims(claims({ exp: Date.now() + 600_000 })),
    "expired beyond the skew": () => withClaims(claims({ iat: now() - 600, exp: now() - 65 })),
    "nbf beyond the skew": () => withClaims(claims({ nbf: now() + 90 })),
    "nbf as a string": () => withClaims(claims({ nbf: String(now()) })),
    "nbf 1e400": () => numeric("nbf", "1e400"),
    "iat in the future, beyond the skew": () => withClaims(claims({ iat: now() + 90 })),
    "iat as a string": () => withClaims(claims({ iat: String(now()) })),
    "iat 1e400": () => numeric("iat", "1e400"),
    "iat negative": () => withClaims(claims({ iat: -5 })),
    "a life of 400 days and a second": () => withClaims(claims({ iat: now(), exp: now() + 400 * DAY + 1 })),
  },
  /exp|nbf|iat|not yet valid|400 days|distinct names/,
);

takeEach("legal tokens", {
  "as any other": good,
  "without kid where one key would do": () => withHeader({ kid: undefined }),
  "without typ": () => withHeader({ typ: undefined }),
  "typ at+jwt": () => withHeader({ typ: "at+jwt" }),
  "by the second RSA key": () => withHeader({}, rsa2),
  "an audience among several": () => withClaims(claims({ aud: ["https://else.test", AUDIENCE] })),
  "exp with a fraction": () => withClaims(claims({ exp: now() + 600.5 })),
  "all times with a fraction": () => withClaims(claims({ iat: now() - 1.25, nbf: now() - 1.25, exp: now() + 600.75 })),
  "exp with an exponent": () => numeric("exp", `${(now() + 600) / 1e9}e9`),
  "expired within the skew": () => withClaims(claims({ iat: now() - 600, exp: now() - 50 })),
  "nbf within the skew": () => withClaims(claims({ nbf: now() + 50 })),
  "iat within the skew": () => withClaims(claims({ iat: now() + 50 })),
  "a life of 400 days": () => withClaims(claims({ iat: now(), exp: now() + 400 * DAY })),
  "members of the header that mean nothing": () => withHeader({ jku: "https://else.test", x5u: "https://else.test", cty: "x" }),
  "JSON with spaces and escapes": () => withClaims(JSON.stringify(claims(), null, 2).replace('"sub"', '"\\u0073ub"')),
  "of exactly 16 KiB": () => ofLength(16 * 1024),
});
