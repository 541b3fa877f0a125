// Proves that the storage is not trusted and learns nothing: a dump of the KV namespace shows no token,
// principal, service, metadata, name, address or API key; and a record that was changed, cut, moved or
// mixed with another does not open: the caller gets a 500 and never a part of it, the log names it.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { assertStatus, serveVault, unique } from "./harness.mjs";

const vault = await serveVault();
const developer = await vault.newDeveloper({ email: `${unique("mail")}@example.com` });

/** A stored credential: what was sent, its id, its KV key, and what get and exchange show of it. */
async function storeOne({ by = developer, ...fields } = {}) {
  const sent = {
    principalId: unique("user"),
    service: "github",
    accessToken: unique("gho_access"),
    metadata: { note: unique("note") },
    ...fields,
  };
  vault.secrets.add("metadata", sent.metadata.note);
  const { id } = assertStatus(await by.store(sent), 201).body;
  const grant = await by.grant({ principal: sent.principalId, scopes: ["*"] });
  const one = { ...sent, id, by, grant, key: `cred:${by.developerId}:${id}` };
  one.shown = assertStatus(await by.get(id), 200).body;
  one.exchanged = assertStatus(await vault.exchange(grant, one.service), 200).body;
  return one;
}

const read = async (key) => {
  const { value, metadata } = await (await vault.worker.kv()).getWithMetadata(key);
  assert.ok(value !== null, `there is a ${key}`);
  return { value, metadata };
};
const write = async (key, { value, metadata }) => (await vault.worker.kv()).put(key, value, { metadata });

/** Puts `entry` in the place of `one`, runs `act`, and puts back what was there. */
async function replacing(one, entry, act) {
  const original = await read(one.key);
  await write(one.key, { ...original, ...entry });
  try {
    return await act();
  } finally {
    await write(one.key, original);
  }
}

async function assertDamaged(answer, id) {
  assertStatus(answer, 500);
  const line = await vault.worker.logLineOf(answer.body.requestId);
  assert.equal(line.level, "error");
  assert.ok(JSON.stringify(line).includes(id), `the log names ${id}: ${JSON.stringify(line)}`);
  assert.ok(line.reason, `and says why: ${JSON.stringify(line)}`);
}

/** Every way to read `one`: a 500 with its log line, or all that was stored; gives which were 500. */
async function damagedReads(one) {
  const reads = {
    get: [await one.by.get(one.id), one.shown],
    list: [await one.by.list({ principalId: one.principalId }), { credentials: [one.shown] }],
    exchange: [await vault.exchange(one.grant, one.service), one.exchanged],
  };
  const damaged = [];
  for (const [name, [answer, whole]] of Object.entries(reads)) {
    if (answer.status === 200) {
      assert.deepEqual(answer.body, whole, `${name} is whole or an error`);
    } else {
      await assertDamaged(answer, one.id);
      damaged.push(name);
    }
  }
  return damaged;
}

/** `text` with one bit of its character at `index` flipped, to another character of base64url. */
function flip(text, index) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const at = alphabet.indexOf(text[index]);
  return text.slice(0, index) + (at < 0 ? "A" : alphabet[at ^ 1]) + text.slice(index + 1);
}

describe("a dump of the namespace", () => {
  test("holds keys of the schema and nothing that was stored", async () => {
    const stored = [
      await storeOne({ service: "github-enterprise", refreshToken: unique("ghr_refresh"), credentialType: "personal-token" }),
      await storeOne({ metadata: { note: unique("note"), large: "x".repeat(5_000) } }),
      await storeOne({ accessToken: "t".repeat(40_000) }),
    ];
    assertStatus(await developer.revokeToken(vault.secrets.add("a jti", unique("jti"))), 204);
    assertStatus(await developer.revokeGrant(vault.secrets.add("a grant id", unique("grnt"))), 204);
    vault.secrets.add("a service", "github-enterprise");
    vault.secrets.add("a credential type", "personal-token");
    vault.secrets.add("a developer's API key without its prefix", developer.apiKey.slice(8));

    const entries = await vault.worker.dump();
    const forms = [
      /^cred:[\w-]{1,64}:vault_[0-9A-HJKMNP-TV-Z]{26}$/,
      /^key:[\w-]{43}$/,
      /^dev:[\w-]{1,64}:[\w-]{43}$/,
      /^revoked:[\w-]{1,64}:(token|grant):[\w-]{43}$/,
    ];
    for (const { name } of entries)
      assert.ok(
        forms.some((form) => form.test(name)),
        `${name} is of the schema`,
      );
    for (const form of forms)
      assert.ok(
        entries.some(({ name }) => form.test(name)),
        `there is a ${form}`,
      );
    for (const { key } of stored)
      assert.ok(
        entries.some(({ name }) => name === key),
        `${key} is there`,
      );
    await vault.assertNothingLeaked();
  });

  test("shows no two records alike, though they hold the same", async () => {
    const same = { accessToken: "gho_same_token", metadata: { note: "the same note" } };
    const [one, two] = [await read((await storeOne(same)).key), await read((await storeOne(same)).key)];
    for (let at = 24; at + 12 < one.value.length; at += 12) {
      assert.ok(!two.value.includes(one.value.slice(at, at + 12)), "no run of characters in common");
    }
  });

  test("shows another text for each store of the same", async () => {
    const one = await storeOne();
    const first = await read(one.key);
    const { principalId, service, accessToken, metadata } = one;
    assertStatus(await developer.store({ principalId, service, accessToken, metadata }), 201);
    assert.notEqual((await read(one.key)).value, first.value);
  });

  test("keeps revocations no longer than a token may live", async () => {
    const kv = await vault.worker.kv();
    const { keys } = await kv.list({ prefix: "revoked:" });
    assert.ok(keys.length > 0);
    for (const { name, expiration } of keys) {
      const days = (expiration - Date.now() / 1000) / 86_400;
      assert.ok(days > 399.9 && days < 401, `${name} expires in ${days} days`);
    }
  });
});

describe("a record", () => {
  let one, two;
  before(async () => {
    one = await storeOne();
    two = await storeOne();
  });

  test("with any character of its value changed does not open for an exchange", async () => {
    const original = await read(one.key);
    const { value } = original;
    for (let index = 0; index < value.length; index += 1) {
      await write(one.key, { ...original, value: flip(value, index) });
      assertStatus(await vault.exchange(one.grant, one.service), 500, `character ${index} of ${value.length}`);
    }
    await write(one.key, original);
    assertStatus(await vault.exchange(one.grant, one.service), 200, "and put back it does");
  });

  test("with any character of its KV metadata changed is not listed", async () => {
    const original = await read(one.key);
    const { metadata } = original;
    for (let index = 0; index < metadata.length; index += 1) {
      await write(one.key, { ...original, metadata: flip(metadata, index) });
      assertStatus(await developer.list({ principalId: one.principalId }), 500, `character ${index} of ${metadata.length}`);
    }
    await write(one.key, original);
  });

  const values = {
    empty: () => "",
    "a character short": (value) => value.slice(0, -1),
    "a character long": (value) => `${value}A`,
    "cut to half": (value) => value.slice(0, value.length / 2),
    "a dot alone": () => ".",
    "of its first part": (value) => value.split(".")[0],
    "of its last part": (value) => value.split(".").at(-1),
    "of its parts swapped": (value) => value.split(".").reverse().join("."),
    "of its parts and one more": (value) => `${value}.${value.split(".")[0]}`,
    twice: (value) => value + value,
    "in capitals": (value) => value.toUpperCase(),
    "with a line feed": (value) => `${value}\n`,
    "with padding": (value) => `${value}=`,
    JSON: () => JSON.stringify({ principalId: "user", service: "github", accessToken: "gho" }),
    null: () => "null",
    bytes: () => new Uint8Array([0, 255, 254, 46, 128]),
    "a megabyte": () => "A".repeat(1_000_000),
    "another record's": async () => (await read(two.key)).value,
    "its first part and another's last": async (value) => `${value.split(".")[0]}.${(await read(two.key)).value.split(".")[1]}`,
    "another's first part and its last": async (value) => `${(await read(two.key)).value.split(".")[0]}.${value.split(".")[1]}`,
  };
  for (const [name, make] of Object.entries(values)) {
    test(`whose value is ${name} does not open`, async () => {
      const { value } = await read(one.key);
      const bent = await make(value);
      const damaged = await replacing(one, { value: bent }, () => damagedReads(one));
      assert.ok(damaged.includes("exchange"), `exchange of ${name}`);
    });
  }

  const metadatas = {
    missing: () => null,
    empty: () => "",
    "a number": () => 5,
    "an object": () => ({ createdAt: 1 }),
    "an array": () => ["x"],
    "another record's": async () => (await read(two.key)).metadata,
    cut: (metadata) => metadata.slice(0, -1),
    "of another time": (metadata) => metadata.replace(/^\d+/, (millis) => `${Number(millis) + 1}`),
    "of a time that can't be": (metadata) => metadata.replace(/^\d+/, "9".repeat(30)),
    "of kilobytes": () => `1.${"A".repeat(900)}`,
  };
  for (const [name, make] of Object.entries(metadatas)) {
    test(`whose KV metadata is ${name} is not listed`, async () => {
      const { metadata } = await read(one.key);
      const bent = await make(metadata);
      const damaged = await replacing(one, { metadata: bent }, () => damagedReads(one));
      assert.ok(damaged.includes("list"), `list of ${name}`);
    });
  }

  test("of an earlier time in one part doesn't open", async () => {
    const { principalId, service } = one;
    const old = await read(one.key);
    assertStatus(await developer.store({ principalId, service, accessToken: unique("gho_newer") }), 201);
    const now = await read(one.key);
    const [oldParts, newParts] = [old.value.split("."), now.value.split(".")];
    for (const value of [`${oldParts[0]}.${newParts[1]}`, `${newParts[0]}.${oldParts[1]}`]) {
      const answer = await replacing(one, { value }, () => vault.exchange(one.grant, service));
      await assertDamaged(answer, one.id);
    }
    await write(one.key, old);
  });

  test("moved to another credential of the same developer opens for nobody", async () => {
    const damaged = await replacing(two, await read(one.key), () => damagedReads(two));
    assert.deepEqual(damaged, ["get", "list", "exchange"]);
  });

  test("moved to another developer opens for nobody", async () => {
    const stranger = await vault.newDeveloper();
    const theirs = await storeOne({ by: stranger, principalId: one.principalId });
    const damaged = await replacing(theirs, await read(one.key), () => damagedReads(theirs));
    assert.deepEqual(damaged, ["get", "list", "exchange"]);

    await write(`cred:${stranger.developerId}:${one.id}`, await read(one.key));
    await assertDamaged(await stranger.get(one.id), one.id);
    await assertDamaged(await stranger.list(), one.id);
    assertStatus(await stranger.delete(one.id), 204, "what is damaged can be deleted");
    assert.deepEqual((await stranger.list()).body.credentials, [theirs.shown]);
  });

  test("that is damaged takes nothing else with it", async () => {
    const { value, metadata } = await read(one.key);
    await replacing(one, { value: flip(value, 50), metadata: flip(metadata, 50) }, async () => {
      assertStatus(await developer.get(two.id), 200);
      assert.deepEqual((await developer.list({ principalId: two.principalId })).body, { credentials: [two.shown] });
      assertStatus(await vault.exchange(two.grant, two.service), 200);
      await assertDamaged(await developer.list(), one.id);
    });
  });
});

describe("an account", () => {
  test("that is changed or moved to another key does not open", async () => {
    const [one, two] = [await vault.newDeveloper(), await vault.newDeveloper()];
    const accounts = (await vault.worker.dump("dev:")).map(({ name }) => name);
    const keyOf = ({ developerId }) => `key:${accounts.find((name) => name.startsWith(`dev:${developerId}:`)).split(":")[2]}`;
    const [mine, theirs] = [await read(keyOf(one)), await read(keyOf(two))];
    const listed = await read(keyOf(one).replace("key:", `dev:${one.developerId}:`));
    const hash = keyOf(one).slice(4);
    for (const bent of [
      { value: flip(mine.value, 40) },
      { value: "" },
      { value: "{}" },
      { value: mine.value.slice(0, -1) },
      theirs,
      listed,
    ]) {
      await write(keyOf(one), bent);
      await assertDamaged(await one.list(), hash);
      await assertDamaged(await one.send("POST", "/v1/keys/rotate"), hash);
    }
    await write(keyOf(one), mine);
    assertStatus(await one.list(), 200);
  });
});

test("a restart keeps everything", async () => {
  const one = await storeOne();
  await vault.restart();
  assert.deepEqual(await damagedReads(one), []);
});
