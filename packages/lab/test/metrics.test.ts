import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Hook, StepRecord } from "@eitp/core/spec";
import { describe, expect, test } from "vitest";
import { metricsFile, readMetrics, truncateMetrics } from "../src/index.ts";
import { newFolder, records } from "./fake-run.ts";

const newPath = async (): Promise<string> => join(await newFolder(), "run", "metrics.jsonl");
const text = (path: string): Promise<string> => readFile(path, "utf8");
const step = (at: number, value: number): StepRecord => ({ step: at, kind: "step", values: { "ce.loss": value } });

async function write(path: string, all: Iterable<StepRecord>): Promise<void> {
  const hook = metricsFile(path);
  for (const record of all) await hook.onRecord(record);
  await hook.onEnd?.("finished");
}

describe("metrics.jsonl", () => {
  test("is one object a line, with non-finite numbers as strings, and reads back the same", async () => {
    const path = await newPath();
    const row = { term: "ce", value: 1, weighted: 1, gradientNorm: 2, cosine: Number.NaN, ms: 3 };
    await write(path, [
      {
        step: 1,
        kind: "step",
        values: { "ce.loss": 0.1 + 0.2, a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY },
        ledger: [row],
      },
      { step: 1, kind: "checkpoint", values: {}, checkpoint: "checkpoints/step-1" },
      { step: 1, kind: "evaluation", values: { "heldOut.loss": 5 } },
    ]);
    expect((await text(path)).split("\n")).toEqual([
      '{"step":1,"kind":"step","values":{"ce.loss":0.30000000000000004,"a":"NaN","b":"Infinity","c":"-Infinity"},' +
        '"ledger":[{"term":"ce","value":1,"weighted":1,"gradientNorm":2,"cosine":"NaN","ms":3}]}',
      '{"step":1,"kind":"checkpoint","values":{},"checkpoint":"checkpoints/step-1"}',
      '{"step":1,"kind":"evaluation","values":{"heldOut.loss":5}}',
      "",
    ]);
    const metrics = await readMetrics(path);
    expect(metrics).toMatchObject({ records: 3, lastStep: 1, torn: false, checkpoints: [{ step: 1, folder: "checkpoints/step-1" }] });
    expect(metrics.ledger).toEqual([{ step: 1, rows: [row] }]);
    const steps = Object.fromEntries([...metrics.steps].map(([key, series]) => [key, series.values[0]]));
    expect(steps).toEqual({ "ce.loss": 0.1 + 0.2, a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY });
    expect(metrics.evaluations.get("heldOut.loss")).toEqual({ steps: [1], values: [5] });
  });

  test("every line is in the file when onRecord returns, so a kill loses none", async () => {
    const path = await newPath();
    const hook = metricsFile(path);
    await hook.onRecord(step(1, 5));
    expect(await text(path)).toBe('{"step":1,"kind":"step","values":{"ce.loss":5}}\n');
    await hook.onEnd?.("aborted");
  });

  test("a run that was killed and resumed ends with the file of an uninterrupted one, wherever the kill hit", async () => {
    const whole = [...records(40)];
    const straight = await newPath();
    await write(straight, whole);
    const bytes = await readFile(straight);
    // The checkpoint at step 20: its own line and what follows are told again by the resumed run.
    const at = whole.findIndex((record) => record.kind === "checkpoint" && record.step === 20);
    const safe = bytes.indexOf('{"step":20,"kind":"checkpoint"');
    for (const killed of [safe, safe + 11, safe + 200, bytes.length - 1, bytes.length]) {
      const path = await newPath();
      await write(path, [step(0, 0)]);
      await writeFile(path, bytes.subarray(0, killed));
      await truncateMetrics(path, 20);
      await write(path, whole.slice(at));
      expect(await text(path)).toBe(bytes.toString("utf8"));
    }
  });

  test("a torn last line is cut before the next is appended, and left out when read", async () => {
    const path = await newPath();
    await write(path, [step(1, 5)]);
    await appendFile(path, '{"step":2,"ki');
    expect(await readMetrics(path)).toMatchObject({ records: 1, torn: true });
    await write(path, [step(2, 4)]);
    expect(await readMetrics(path)).toMatchObject({ records: 2, lastStep: 2, torn: false });
  });

  test("a torn line longer than a block, or the only one, is cut too", async () => {
    const path = await newPath();
    await write(path, [step(1, 5)]);
    const before = await text(path);
    await appendFile(path, "x".repeat(200_000));
    const hook = metricsFile(path);
    await hook.onRecord(step(2, 4));
    await hook.onEnd?.("finished");
    expect(await text(path)).toBe(`${before}{"step":2,"kind":"step","values":{"ce.loss":4}}\n`);
    await writeFile(path, "x".repeat(100));
    await write(path, [step(1, 5)]);
    expect(await text(path)).toBe(before);
  });

  test("truncation counts what it removes, works on samples, and leaves a missing file missing", async () => {
    const path = await newPath();
    expect(await truncateMetrics(path, 3)).toBe(0);
    await write(path, [step(1, 1), step(2, 1), step(3, 1), { step: 2, kind: "evaluation", values: {} }]);
    expect(await truncateMetrics(path, 2)).toBe(2);
    expect(await truncateMetrics(path, 2)).toBe(0);
    expect((await readMetrics(path)).records).toBe(2);
    await writeFile(path, '{"step":1,"prompt":"a"}\n{"step":2,"prompt":"b"}\n');
    expect(await truncateMetrics(path, 2)).toBe(1);
    expect(await text(path)).toBe('{"step":1,"prompt":"a"}\n');
  });

  test("a missing file is a run without records", async () => {
    expect(await readMetrics(await newPath())).toMatchObject({ records: 0, lastStep: undefined, torn: false });
  });

  test.each([
    ["{oops}", /line 2 is not JSON/],
    ["[]", /line 2: expected a JSON object, found \[\]/],
    ['{"step":-1,"kind":"step","values":{}}', /line 2, step: expected a step.*found -1/],
    ['{"step":1,"kind":"stop","values":{}}', /line 2, kind: expected one of step, evaluation, checkpoint, found "stop"/],
    ['{"step":1,"kind":"step","values":{"a":null}}', /line 2, values.a: expected a number.*found null/],
    ['{"step":1,"kind":"step","values":{},"ledger":[{}]}', /line 2, ledger\[0\].term: expected a string, found nothing/],
  ])("a damaged line %s is named", async (line, message) => {
    const path = await newPath();
    await write(path, [step(1, 1)]);
    await appendFile(path, `${line}\n`);
    await expect(readMetrics(path)).rejects.toMatchObject({ code: "data", message: expect.stringMatching(message) });
  });

  test("a file that cannot be opened is an io error that names it", async () => {
    const hook: Hook = metricsFile("/dev/null/metrics.jsonl");
    await expect(hook.onRecord(step(1, 1))).rejects.toMatchObject({
      code: "io",
      message: expect.stringContaining("/dev/null/metrics.jsonl"),
    });
  });

  test("a full disk is an io error with size and advice", async () => {
    const hook = metricsFile("/dev/full");
    await expect(hook.onRecord(step(1, 1))).rejects.toMatchObject({
      code: "io",
      message: expect.stringMatching(/\/dev\/full \(\d+ bytes\): ENOSPC.*free space/),
    });
    // A device cannot be forced to the disk; the file is closed all the same.
    await expect(hook.onEnd?.("failed")).rejects.toMatchObject({ code: "io" });
  });
});
