import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { nodePlatform } from "../../src/node/index.ts";
import { kill, lines, start } from "./child.ts";

test("after SIGKILL in the middle of commits the newest readable folder is whole and not older than what was acknowledged", async () => {
  const root = await mkdtemp(join(tmpdir(), "eitp-kill-"));
  let acknowledged = -1;
  for (let round = 0; round < 12; round += 1) {
    const child = start(new URL("./children/commit-forever.ts", import.meta.url), [root, String(acknowledged + 1)]);
    let commits = 0;
    for await (const line of lines(child)) {
      acknowledged = Number(line);
      commits += 1;
      // Two commits, then a moment that differs from round to round: a commit takes a few milliseconds.
      if (commits === 2) void setTimeout(round * 1.3).then(() => kill(child));
    }
    const { store } = nodePlatform(root);
    expect(await store.list("checkpoints")).toEqual(["latest"]);
    const [a, b] = await Promise.all(["a.bin", "b.bin"].map((name) => store.read(`checkpoints/latest/${name}`)));
    const generations = new Set(`${new TextDecoder().decode(a)}${new TextDecoder().decode(b)}`.trim().split("\n"));
    expect(a?.byteLength).toBe(b?.byteLength);
    expect(generations.size).toBe(1);
    const [generation] = generations;
    expect(Number(generation)).toBeGreaterThanOrEqual(acknowledged);
    expect(a?.byteLength).toBe(20_000 * `${generation}\n`.length);
    acknowledged = Number(generation);
  }
  await nodePlatform(root).store.commit("checkpoints/last", {});
  expect((await readdir(join(root, "checkpoints"))).sort()).toEqual(["last", "latest"]);
});
