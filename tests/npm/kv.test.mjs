// MemoryKV beside the KV namespace of workerd's simulator: the same calls, the same answers.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Miniflare } from "miniflare";
import { installed } from "./support/package.mjs";

const { MemoryKV, VaultError } = await installed();

const miniflare = new Miniflare({
  host: "127.0.0.1", port: 0, cf: false, telemetry: { enabled: false },
  workers: [{
    config: {
      name: "kv", compatibilityDate: "2026-11-01", env: { KV: { type: "kv", id: "kv" } },
      manifest: { mainModule: "index.js", modulesRoot: "/", modules: { "index.js": { type: "esm", contents: "export default { fetch: () => new Response() }" } } },
    },
  }],
});
after(() => miniflare.dispose());
const namespaces = async () => [new MemoryKV(), await miniflare.getKVNamespace("KV")];

/** Runs `work` on both and asserts that they agree. */
async function same(work) {
  const [ours, theirs] = await namespaces();
  const [mine, expected] = [await work(ours), await work(theirs)];
  assert.deepEqual(mine, expected);
  return mine;
}

/** What a KV answer says, without what only the platform knows. */
const listing = ({ keys, list_complete, cursor }) => ({ keys: keys.map(({ name, metadata }) => ({ name, metadata })), list_complete, hasCursor: Boolean(cursor) });

test("values and metadata of every type", () =>
  same(async (kv) => {
    await kv.put("t:text", "ü", { metadata: { a: [1, null] } });
    await kv.put("t:json", '{"a":1}');
    await kv.put("t:bytes", new Uint8Array([0, 255, 1]).subarray(1));
    await kv.put("t:empty", "");
    await kv.put("t:buffer", new Uint8Array([1, 2]).buffer, { metadata: null });
    const { value, metadata } = await kv.getWithMetadata("t:text");
    const missing = await kv.getWithMetadata("t:none");
    const bytes = async (key) => [...new Uint8Array(await kv.get(key, "arrayBuffer"))];
    const bulk = await kv.get(["t:text", "t:none", "t:json"]);
    const many = await kv.getWithMetadata(["t:text", "t:none"]);
    return [
      await kv.get("t:text"), await kv.get("t:text", { type: "text" }), await kv.get("t:json", "json"), await bytes("t:bytes"), await bytes("t:buffer"),
      await kv.get("t:empty"), await kv.get("t:none"), await kv.get("t:none", "json"), await kv.get("t:none", "arrayBuffer"),
      value, metadata, missing.value, missing.metadata, [...bulk].sort(), [...(await kv.get(["t:json"], "json"))],
      [...many].map(([key, entry]) => [key, entry?.value, entry?.metadata]),
      await new Response(await kv.get("t:text", "stream")).text(),
    ];
  }));

test("list is in byte order, by prefix, in pages", () =>
  same(async (kv) => {
    // UTF-16 sorts the emoji (a surrogate pair) before U+FFFD, UTF-8 after.
    const names = ["b", "a", "a:2", "a:10", "A", "a\uFFFD", "a😀", "ab", "é", "a:", "~"].map((name) => `l:${name}`);
    for (const name of names) await kv.put(name, "x", name.endsWith("b") ? { metadata: name } : undefined);
    await kv.delete("l:~");
    const pages = [];
    let cursor;
    do {
      const page = await kv.list({ prefix: "l:", limit: 3, cursor });
      pages.push(listing(page));
      cursor = page.cursor;
    } while (cursor);
    assert.equal(pages.length, 4);
    return [pages, listing(await kv.list({ prefix: "l:a:" })), listing(await kv.list({ prefix: "l:zzz" })), listing(await kv.list({ prefix: "l:a", limit: 6 }))];
  }));

test("what is refused is refused with status 400, and not kept", async () => {
  const [ours, theirs] = await namespaces();
  const calls = {
    "an empty key": (kv) => kv.put("", "x"),
    "the key .": (kv) => kv.put(".", "x"),
    "the key ..": (kv) => kv.get(".."),
    "a key of 513 bytes": (kv) => kv.put("é".repeat(256) + "x", "x"),
    "a short life": (kv) => kv.put("r", "x", { expirationTtl: 59 }),
    "a life that is no number": (kv) => kv.put("r", "x", { expirationTtl: NaN }),
    "an end in the past": (kv) => kv.put("r", "x", { expiration: 1000 }),
    "much metadata": (kv) => kv.put("r", "x", { metadata: "x".repeat(1023) }),
    "101 keys at once": (kv) => kv.get(Array.from({ length: 101 }, (_, index) => `k${index}`)),
    "a limit of 1001": (kv) => kv.list({ limit: 1001 }),
  };
  for (const [what, call] of Object.entries(calls)) {
    await assert.rejects(call(theirs), Error, `the simulator: ${what}`);
    await assert.rejects(call(ours), (error) => error instanceof VaultError && error.code === "BAD_REQUEST" && error.status === 400, what);
  }
  assert.equal(await ours.get("r"), null);
  await assert.rejects(ours.list({ limit: 0 }), VaultError); // the simulator takes it for the default
  await ours.put("é".repeat(256), "x", { metadata: "x".repeat(1022), expirationTtl: 60 });
  await ours.put("r", "x", { expiration: Math.floor(Date.now() / 1000) + 61 });
  await ours.list({ limit: 1000 });
});

test("wrong types are TypeErrors", async () => {
  const kv = new MemoryKV();
  for (const call of [
    () => kv.get(), () => kv.get(5), () => kv.get("a", "xml"), () => kv.get(["a"], "arrayBuffer"), () => kv.get([5]), () => kv.get("\ud800"),
    () => kv.put("a"), () => kv.put("a", 5), () => kv.put("a", "x", "y"), () => kv.put("a", "x", { expirationTtl: "60" }),
    () => kv.delete(), () => kv.list("x"), () => kv.list({ prefix: 5 }), () => kv.list({ cursor: 5 }),
  ]) await assert.rejects(call(), TypeError, call.toString());
  await assert.rejects(kv.list({ cursor: "%" }), VaultError);
});

test("a key disappears when its time is up", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_900_000_000_000 });
  const kv = new MemoryKV();
  await kv.put("a", "x", { expirationTtl: 60 });
  await kv.put("b", "x", { expiration: 1_900_000_100 });
  await kv.put("c", "x");
  const state = async () => [await kv.get("a"), await kv.get("b"), await kv.get("c"), (await kv.list()).keys.map(({ name, expiration }) => [name, expiration])];
  assert.deepEqual(await state(), ["x", "x", "x", [["a", 1_900_000_060], ["b", 1_900_000_100], ["c", undefined]]]);
  t.mock.timers.setTime(1_900_000_060_000);
  assert.deepEqual(await state(), [null, "x", "x", [["b", 1_900_000_100], ["c", undefined]]]);
  t.mock.timers.setTime(1_900_000_100_000);
  assert.deepEqual((await kv.list()).keys, [{ name: "c" }]);
});

test("what was put can't be changed from outside", async () => {
  const kv = new MemoryKV();
  const [bytes, metadata] = [new Uint8Array([1]), { a: 1 }];
  await kv.put("a", bytes, { metadata });
  bytes[0] = metadata.a = 2;
  (await kv.getWithMetadata("a")).metadata.a = 3;
  new Uint8Array(await kv.get("a", "arrayBuffer"))[0] = 4;
  const { value, metadata: kept } = await kv.getWithMetadata("a", "arrayBuffer");
  assert.deepEqual([[...new Uint8Array(value)], kept], [[1], { a: 1 }]);
});
