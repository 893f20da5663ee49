import { mkdtemp, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { lockRun } from "../../src/node/index.ts";
import { kill, lines, start } from "./child.ts";

const newRoot = () => mkdtemp(join(tmpdir(), "eitp-lock-"));
const since = "2026-01-02T03:04:05.000Z";

async function holder(root: string): Promise<{ readonly pid: number; readonly takenOver: { pid: number } | null; end(): Promise<void> }> {
  const child = start(new URL("./children/hold-lock.ts", import.meta.url), [root]);
  onTestFinished(() => kill(child));
  for await (const line of lines(child)) return { ...JSON.parse(line), end: () => kill(child) };
  throw new Error("the child ended without a lock");
}

describe("the lock of a run folder", () => {
  test("is exclusive within a process, and free again after release", async () => {
    const root = await newRoot();
    const lock = await lockRun(root);
    expect(lock.takenOver).toBeUndefined();
    expect(JSON.parse(await readFile(lock.path, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
    await expect(lockRun(root)).rejects.toMatchObject({ code: "busy", message: expect.stringContaining(`process ${process.pid}`) });
    await lock.release();
    await lock.release();
    expect(await readdir(root)).toEqual([]);
    await (await lockRun(root)).release();
  });

  test("of a living process is refused by name; once it is killed, it is taken over and reported", async () => {
    const root = await newRoot();
    const other = await holder(root);
    await expect(lockRun(root)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(new RegExp(`process ${other.pid} on ${hostname()} since 20.*Wait for it, stop it`)),
    });
    await other.end();
    const lock = await lockRun(root);
    expect(lock.takenOver).toMatchObject({ pid: other.pid, host: hostname() });
    await lock.release();
    expect(await readdir(root)).toEqual([]);
  });

  test("of another host is never taken over", async () => {
    const root = await newRoot();
    const foreign = { pid: 2 ** 22 + 1, host: "elsewhere", since, birth: null, token: "t" };
    await writeFile(join(root, "run.lock"), JSON.stringify(foreign));
    await expect(lockRun(root)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringMatching(/elsewhere since 2026.*delete that file/),
    });
  });

  test("of an earlier process with our own number, or a recycled one, is stale", async () => {
    for (const pid of [process.pid, process.ppid]) {
      const root = await newRoot();
      const dead = { pid, host: hostname(), since, birth: "another boot/1", token: "t" };
      await writeFile(join(root, "run.lock"), JSON.stringify(dead));
      const lock = await lockRun(root);
      expect(lock.takenOver).toEqual({ pid, host: hostname(), since });
      await lock.release();
    }
  });

  test("that was never filled in is stale", async () => {
    const root = await newRoot();
    await writeFile(join(root, "run.lock"), "");
    await (await lockRun(root)).release();
    expect(await readdir(root)).toEqual([]);
  });

  test("survives a takeover that was itself killed", async () => {
    const root = await newRoot();
    const dead = { pid: 2 ** 22 + 1, host: hostname(), since, birth: null, token: "t" };
    await writeFile(join(root, "run.lock"), JSON.stringify(dead));
    const guard = join(root, "run.lock.takeover");
    await writeFile(guard, "");
    await utimes(guard, new Date(0), new Date(0));
    const lock = await lockRun(root);
    expect(lock.takenOver?.pid).toBe(dead.pid);
    await lock.release();
    expect(await readdir(root)).toEqual([]);
  });

  test("goes to one of several that compete for a stale one", async () => {
    const root = await newRoot();
    await writeFile(join(root, "run.lock"), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), since, birth: null, token: "t" }));
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lockRun(root)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "busy" });
  });
});
