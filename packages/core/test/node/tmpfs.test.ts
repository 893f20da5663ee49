import { execFileSync } from "node:child_process";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { nodePlatform } from "../../src/node/index.ts";

/** A real full disk needs a file system of its own, which only root on Linux may mount. */
async function smallDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "eitp-disk-"));
  try {
    execFileSync("sh", ["-c", 'mount -t tmpfs -o size=256k tmpfs "$0"', folder], { stdio: "ignore" });
    return folder;
  } catch {
    return undefined;
  }
}

test("a disk that is really full", async (context) => {
  const root = await smallDisk();
  if (root === undefined) return context.skip("no right to mount a tmpfs here");
  onTestFinished(() => void execFileSync("sh", ["-c", 'umount "$0"', root]));
  const { store } = nodePlatform(root);
  const old = new Uint8Array(100_000).fill(1);
  await store.commit("c/x", { "a.bin": old });
  await expect(store.commit("c/x", { "a.bin": new Uint8Array(400_000) })).rejects.toMatchObject({
    code: "io",
    message: expect.stringMatching(/400000 bytes.*ENOSPC.*free space/),
  });
  expect(await store.read("c/x/a.bin")).toEqual(old);
  expect(await readdir(join(root, "c"))).toEqual(["x"]);
  await store.commit("c/x", { "a.bin": new Uint8Array(100_000).fill(2) });
  expect((await store.read("c/x/a.bin"))?.[0]).toBe(2);
});
