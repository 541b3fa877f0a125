// Proves that no body gets more than it should: each field of each route at its limits and past them,
// of another type, missing, null and twice; bodies that are no JSON object; bodies that are too large.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertStatus, serveVault, unique } from "./harness.mjs";

const KIB = 1024;
const vault = await serveVault();
const developer = await vault.newDeveloper();
const raw = (value) => JSON.stringify(value);
const principal = unique("user");
const grant = await developer.grant({ principal, scopes: ["*"] });

/** The routes that take a body: who may call them, and a good body, as JSON text by field. */
const routes = {
  store: {
    path: "/v1/vault/credentials",
    bearer: () => developer.apiKey,
    fields: { principalId: raw(principal), service: raw("github"), accessToken: raw(unique("gho")) },
    required: ["principalId", "service", "accessToken"],
    status: 201,
  },
  exchange: {
    path: "/v1/vault/credentials/exchange",
    bearer: () => grant,
    fields: { service: raw("github") },
    required: ["service"],
    status: 200,
  },
  "sign up": {
    path: "/v1/signup",
    bearer: () => undefined,
    fields: { name: raw(unique("Developer")) },
    required: ["name"],
    status: 201,
  },
  "revoke a token": {
    path: "/v1/tokens/revoke",
    bearer: () => developer.apiKey,
    fields: { jti: raw(unique("jti")) },
    required: ["jti"],
    status: 204,
  },
  "provision a developer": {
    path: "/v1/admin/developers",
    bearer: () => vault.adminKey,
    fields: { name: raw(unique("Developer")) },
    required: ["name"],
    status: 201,
  },
};

for (const { fields: good } of Object.values(routes)) {
  for (const [field, value] of Object.entries(good)) vault.secrets.add(`a ${field}`, JSON.parse(value));
}

const text = (fields) =>
  `{${Object.entries(fields)
    .map(([name, value]) => `${raw(name)}:${value}`)
    .join(",")}}`;

async function post(route, body, headers = { "Content-Type": "application/json" }) {
  const { path, bearer } = routes[route];
  const answer = await vault.send("POST", path, { bearer: bearer(), body, headers });
  if (answer.body?.apiKey) vault.secrets.add("an API key", answer.body.apiKey);
  return answer;
}

/** Posts a good body with some fields given as JSON text, or left out when undefined. */
function postWith(route, changes) {
  const fields = Object.entries({ ...routes[route].fields, ...changes }).filter(([, value]) => value !== undefined);
  return post(route, text(Object.fromEntries(fields)));
}

assertStatus(await post("store", text(routes.store.fields)), 201);

const show = (value) =>
  value === undefined ? "missing" : value.length > 60 ? `${value.slice(0, 40)}… (${value.length})` : value;
const nested = (levels) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
const arrays = (levels) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
/** A JSON object of exactly `bytes` bytes. */
const objectOf = (bytes) => raw({ a: "x".repeat(bytes - 8) });

const NOT_STRINGS = ["5", "true", "[]", '["a"]', "{}", "1e400"];
const NO_UNICODE = ['"\\ud800"', '"\\udc00\\ud800"', '"a\\ud800b"'];
const CONTROLS = ['"\\u0000"', '"a\\u001fb"', '"\\u007f"', '"\\u0085"', '"line\\n"', '"\\ttab"'];
const SERVICES = {
  good: [raw("A.b_c-9"), raw("9"), raw("x".repeat(64))],
  bad: ["", ".a", "-a", "_a", "a b", "a/b", "a:b", "é", "github\n", "x".repeat(65), "*"].map(raw).concat(NOT_STRINGS, NO_UNICODE),
};
const NAMES = {
  good: [raw("x".repeat(256)), raw("é".repeat(128)), raw("Ünïcödé ☃")],
  bad: [raw(""), raw("x".repeat(257)), raw(`${"é".repeat(128)}x`), ...NOT_STRINGS, ...NO_UNICODE],
};
const EMAILS = {
  good: ["null", raw("a@b"), raw(`${"x".repeat(252)}@b`)],
  bad: [raw(""), raw("ab"), raw("abc"), raw(`${"x".repeat(253)}@b`), ...NOT_STRINGS],
};
const MODES = { good: ["null", raw("live"), raw("sandbox")], bad: [raw(""), raw("Live"), raw("test"), ...NOT_STRINGS] };

const fields = {
  store: {
    principalId: {
      good: [raw("x".repeat(256)), raw("é".repeat(128)), raw("a"), raw(" "), raw("☃")],
      bad: [raw(""), raw("x".repeat(257)), raw(`${"é".repeat(128)}x`), ...CONTROLS, ...NOT_STRINGS, ...NO_UNICODE],
    },
    service: SERVICES,
    accessToken: {
      good: [raw("x".repeat(64 * KIB)), raw("é".repeat(32 * KIB)), raw("a")],
      bad: [raw(""), raw("x".repeat(64 * KIB + 1)), raw(`${"é".repeat(32 * KIB)}x`), ...NOT_STRINGS, ...NO_UNICODE],
    },
    refreshToken: {
      good: ["null", raw("x".repeat(64 * KIB)), raw("a")],
      bad: [raw(""), raw("x".repeat(64 * KIB + 1)), ...NOT_STRINGS, ...NO_UNICODE],
    },
    credentialType: {
      good: ["null", raw("x".repeat(64)), raw("é".repeat(32)), raw("a")],
      bad: [raw(""), raw("x".repeat(65)), raw(`${"é".repeat(32)}x`), ...NOT_STRINGS, ...NO_UNICODE],
    },
    metadata: {
      good: ["null", "{}", nested(16), arrays(16), objectOf(16 * KIB), '{"a":null}'],
      bad: [
        "[]",
        '"{}"',
        "5",
        "true",
        nested(17),
        arrays(17),
        nested(5000),
        objectOf(16 * KIB + 1),
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":2}}',
        '{"a":[{"b":1,"\\u0062":2}]}',
        '{"a":"\\ud800"}',
        '{"\\ud800":1}',
      ],
    },
    tokenExpiresAt: {
      good: ["null", raw("2026-04-10T00:00:00Z"), raw("1970-01-01T00:00:00+14:00")],
      bad: [
        "",
        "tomorrow",
        "2026-04-10",
        "2026-04-10T00:00:00",
        "2026-04-10T00:00Z",
        "2026-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-10T24:00:00Z",
        "2026-04-10T00:60:00Z",
        "2026-04-10T00:00:00+25:00",
        "2026-04-10T00:00:00.Z",
        "2026-04-10T00:00:00Zulu",
        " 2026-04-10T00:00:00Z",
        "2026-04-10T00:00:00Z\n",
        "20260410T000000Z",
        "+002026-04-10T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "Fri, 10 Apr 2026 00:00:00 GMT",
        "1775779200",
        "2026-04-10T00:00:00+0000",
        "٢٠٢٦-04-10T00:00:00Z",
      ]
        .map(raw)
        .concat(NOT_STRINGS, "1775779200", NO_UNICODE),
    },
  },
  exchange: {
    service: { good: [raw("GITHUB")], bad: SERVICES.bad },
    // Who asks for something else must not be handed the credential itself.
    delivery: { good: ["null", raw("credential"), raw("token"), raw("reference")], bad: [raw("Reference"), raw("by-reference"), raw(""), ...NOT_STRINGS] },
  },
  "sign up": { name: NAMES, email: EMAILS, mode: MODES },
  "revoke a token": {
    jti: {
      good: [raw("x".repeat(512)), raw("é☃")],
      bad: [raw(""), raw("x".repeat(513)), ...NOT_STRINGS, ...NO_UNICODE],
    },
  },
  "provision a developer": {
    name: NAMES,
    email: EMAILS,
    mode: MODES,
    developerId: {
      good: ["null", raw("x".repeat(64)), raw("A-b_9")],
      bad: ["", "x".repeat(65), "a b", "a:b", "a/b", "..", "é", "a\n"].map(raw).concat(NOT_STRINGS, NO_UNICODE),
    },
  },
};

for (const [route, byField] of Object.entries(fields)) {
  describe(`${route}: fields`, () => {
    const { required, status } = routes[route];
    for (const [field, { good, bad }] of Object.entries(byField)) {
      for (const value of good) {
        test(`${field} ${show(value)} is taken`, async () => {
          assertStatus(await postWith(route, { [field]: value }), status);
        });
      }
      const refused = required.includes(field) ? [undefined, "null", ...bad] : bad;
      for (const value of refused) {
        test(`${field} ${show(value)} is refused by name`, async () => {
          const answer = assertStatus(await postWith(route, { [field]: value }), 400);
          assert.match(answer.body.message, new RegExp(`^${field}\\b`), "the message names the field");
          if (value?.length > 30) assert.ok(!answer.text.includes(value.slice(1, -1)), "and doesn't repeat the value");
        });
      }
      test(`${field} twice is refused, whichever comes first`, async () => {
        const twice = { ...routes[route].fields, [field]: good.at(-1) };
        for (const again of [good.at(-1), "null"]) {
          assertStatus(await post(route, text(twice).replace(/}$/, `,${raw(field)}:${again}}`)), 400);
          assertStatus(
            await post(
              route,
              text(twice).replace(/^{/, `{"\\u00${field.charCodeAt(0).toString(16)}${field.slice(1)}":${again},`),
            ),
            400,
          );
        }
      });
    }
    test("unknown fields are ignored", async () => {
      const unknown = { id: '"vault_x"', createdAt: "1", developer: "{}", __proto__x: "null", "": "[]" };
      assertStatus(await postWith(route, unknown), status);
    });
  });
}

const noObjects = {
  nothing: "",
  "a space": " ",
  "half an object": '{"service":"github"',
  "half a word": "nul",
  null: "null",
  "an array": '[{"service":"github"}]',
  "a string": '"github"',
  "a number": "5",
  true: "true",
  "two objects": "{}{}",
  "garbage after it": '{"service":"github"}x',
  "single quotes": "{'service':'github'}",
  "a trailing comma": '{"service":"github",}',
  "a comment": '{"service":"github"/**/}',
  "bare names": '{service:"github"}',
  NaN: '{"service":NaN}',
  "a raw line feed in a string": '{"service":"git\nhub"}',
  "no UTF-8": Buffer.from('{"service":"git\xffhub"}', "latin1"),
  "UTF-16": Buffer.from('{"service":"github"}', "utf16le"),
  "100,000 open brackets": "[".repeat(100_000),
  "100,000 open objects": '{"a":'.repeat(50_000),
  "an unknown field 100,000 deep": `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
  "a form": "service=github",
};

for (const route of Object.keys(routes)) {
  const { status, fields: good } = routes[route];

  describe(`${route}: bodies`, () => {
    for (const [name, body] of Object.entries(noObjects)) {
      test(`${name} is a bad request`, async () => {
        assertStatus(await post(route, body), 400);
      });
    }

    const filled = (bytes) => `${text(good)}${" ".repeat(bytes - text(good).length)}`;
    test("256 KiB are taken, with and without a Content-Length", async () => {
      assertStatus(await post(route, filled(256 * KIB)), status);
      assertStatus(await post(route, [filled(128 * KIB), " ".repeat(128 * KIB)]), status);
    });

    test("a byte more is too large, with and without a Content-Length, whatever it holds", async () => {
      assertStatus(await post(route, filled(256 * KIB + 1)), 413);
      assertStatus(await post(route, [filled(128 * KIB), " ".repeat(128 * KIB), " "]), 413);
      assertStatus(await post(route, "x".repeat(256 * KIB + 1)), 413);
      assertStatus(await post(route, Array(40).fill("x".repeat(100 * KIB))), 413);
    });

    for (const type of [
      undefined,
      "",
      "text/plain",
      "text/json",
      "application/jsonx",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/ json",
      "json",
    ]) {
      test(`content type ${type} is refused`, async () => {
        assertStatus(await post(route, text(good), type === undefined ? {} : { "Content-Type": type }), 415);
      });
    }
    for (const type of ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]) {
      test(`content type ${type} is taken`, async () => {
        assertStatus(await post(route, text(good), { "Content-Type": type }), status);
      });
    }
  });
}
