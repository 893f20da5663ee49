import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Calls, nodeCalls } from "../../src/node/calls.ts";
import { nodePlatform, writeFileAtomically } from "../../src/node/index.ts";
import { nodeStore } from "../../src/node/store.ts";
import { replaceFile } from "../../src/node/write-file.ts";
import type { Store } from "../../src/spec/platform.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));
const newRoot = () => mkdtemp(join(tmpdir(), "eitp-store-"));
const both = (text: string) => ({ "a.bin": encode(text), "b.bin": encode(text) });
const contents = async (store: Store) => [decode(await store.read("c/x/a.bin")), decode(await store.read("c/x/b.bin"))];

/** Calls that go wrong at the k-th change of the disk: once (the disk refuses), or for ever after (the process is dead). */
function failing(at: number, then: "once" | "forever", error: Error): { readonly calls: Calls; readonly count: () => number } {
  let count = 0;
  const guard =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const now = count++;
      if (now === at || (then === "forever" && now > at)) throw error;
      return call(...args);
    };
  const calls = {
    mkdir: guard(nodeCalls.mkdir),
    writeDurably: guard(nodeCalls.writeDurably),
    syncFolder: guard(nodeCalls.syncFolder),
    rename: guard(nodeCalls.rename),
    remove: guard(nodeCalls.remove),
    names: guard(nodeCalls.names),
  };
  return { calls, count: () => count };
}

async function callsOfOneReplacement(): Promise<number> {
  const root = await newRoot();
  await nodeStore(root).commit("c/x", both("old"));
  const { calls, count } = failing(Number.POSITIVE_INFINITY, "once", new Error("never"));
  await nodeStore(root, calls).commit("c/x", both("new"));
  return count();
}

describe("a store on disk", () => {
  test("reads what was committed, lists it sorted, replaces and removes it", async () => {
    const root = await newRoot();
    const { store } = nodePlatform(root);
    expect(await store.list("c")).toEqual([]);
    expect(await store.read("c/x/a.bin")).toBeUndefined();
    await store.commit("c/y", both("other"));
    await store.commit("c/x", { ...both("old"), "only-old.bin": encode("1") });
    await store.commit("c/x", both("new"));
    expect(await store.list("c")).toEqual(["x", "y"]);
    expect(await store.list("c/x")).toEqual(["a.bin", "b.bin"]);
    expect(await contents(store)).toEqual(["new", "new"]);
    await store.remove("c/x");
    await store.remove("c/never-there");
    expect(await store.list("c")).toEqual(["y"]);
    expect(await readdir(join(root, "c"))).toEqual(["y"]);
  });

  test("two commits of one name at once leave one of them, whole", async () => {
    const root = await newRoot();
    const { store } = nodePlatform(root);
    await Promise.all(["1", "2", "3"].map((text) => store.commit("c/x", both(text))));
    expect(await contents(store)).toEqual(["3", "3"]);
    expect(await readdir(join(root, "c"))).toEqual(["x"]);
  });

  test.each(["../x", "/etc/x", "a/../../x", "a//b", "a\\b", "C:/x", "a/./b", ".tmp-x", "c/.old-x", "a\0"])(
    "refuses the path %j",
    async (path) => {
      const { store } = nodePlatform(await newRoot());
      const refusal = { code: "usage", message: expect.stringContaining("is not a path inside") };
      await expect(store.commit(path, {})).rejects.toMatchObject(refusal);
      await expect(store.read(path)).rejects.toMatchObject(refusal);
      await expect(store.list(path)).rejects.toMatchObject(refusal);
      await expect(store.remove(path)).rejects.toMatchObject(refusal);
    },
  );

  test("refuses to replace or remove the root, and file names that are paths", async () => {
    const { store } = nodePlatform(await newRoot());
    await expect(store.remove("")).rejects.toMatchObject({ code: "usage" });
    await expect(store.commit("", {})).rejects.toMatchObject({ code: "usage" });
    await expect(store.commit("x", { "../y": encode("") })).rejects.toMatchObject({ code: "usage" });
  });

  test("a full disk is an io error with path, bytes and advice; the folder before it stays and nothing is left over", async () => {
    const total = await callsOfOneReplacement();
    expect(total).toBeGreaterThan(8);
    for (let at = 0; at < total; at += 1) {
      const root = await newRoot();
      await nodeStore(root).commit("c/x", both("old"));
      const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      const failure = nodeStore(root, failing(at, "once", full).calls).commit("c/x", both("new"));
      await expect(failure).rejects.toMatchObject({ code: "io", message: expect.stringMatching(/c\/x \(6 bytes\): ENOSPC.*free space/) });
      const store = nodeStore(root);
      expect(["old,old", "new,new"]).toContain((await contents(store)).join());
      // Only the removal of the old folder comes after the new one is in place for good.
      if (at < total - 3) expect(await contents(store)).toEqual(["old", "old"]);
      await store.commit("c/y", {});
      expect((await readdir(join(root, "c"))).sort()).toEqual(["x", "y"]);
    }
  });

  test("a death at any call leaves the old or the new folder whole, and the next writer tidies up", async () => {
    const total = await callsOfOneReplacement();
    const seen = new Set<string>();
    for (let at = 0; at < total; at += 1) {
      const root = await newRoot();
      await nodeStore(root).commit("c/x", both("old"));
      const dead = nodeStore(root, failing(at, "forever", new Error("killed")).calls);
      await expect(dead.commit("c/x", both("new"))).rejects.toMatchObject({ code: "io" });
      const store = nodeStore(root);
      const before = (await contents(store)).join();
      seen.add(before);
      expect(["old,old", "new,new"]).toContain(before);
      expect(await store.list("c")).toEqual(["x"]);
      await store.commit("c/y", {});
      expect((await contents(store)).join()).toBe(before);
      expect((await readdir(join(root, "c"))).sort()).toEqual(["x", "y"]);
      // A folder set aside must not come back once it is removed.
      await store.remove("c/x");
      expect(await store.list("c")).toEqual(["y"]);
    }
    expect([...seen].sort()).toEqual(["new,new", "old,old"]);
  });

  test("a clean-up that fails too does not hide the first failure", async () => {
    const root = await newRoot();
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    const { calls } = failing(3, "forever", full);
    await expect(nodeStore(root, calls).commit("c/x", both("new"))).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/ENOSPC.*Temporary files may be left/),
    });
  });

  test("where a file stands in the way, says so", async () => {
    const root = await newRoot();
    await writeFile(join(root, "c"), "a file");
    const { store } = nodePlatform(root);
    await expect(store.commit("c/x", both("1"))).rejects.toMatchObject({ code: "io", message: expect.stringContaining("c/x") });
    expect(await store.read("c/x/a.bin")).toBeUndefined();
  });

  test("a single file is replaced whole or not at all", async () => {
    const path = join(await newRoot(), "run", "run.json");
    await writeFileAtomically(path, "old");
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    await expect(replaceFile(path, encode("new"), failing(1, "once", full).calls)).rejects.toMatchObject({ code: "io" });
    expect(await readdir(join(path, ".."))).toEqual(["run.json"]);
    expect(decode(await nodePlatform(join(path, "..")).store.read("run.json"))).toBe("old");
  });
});
