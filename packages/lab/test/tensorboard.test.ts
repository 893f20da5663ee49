import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StepRecord } from "@eitp/core/spec";
import { crc32c } from "@node-rs/crc32";
import { describe, expect, test } from "vitest";
import { type TensorBoardOptions, tensorBoardFile } from "../src/index.ts";
import { maskedCrc } from "../src/tensorboard/record.ts";
import { tagOf } from "../src/tensorboard/tags.ts";
import { newFolder } from "./fake-run.ts";
import { readEvent, readRecords } from "./read-events.ts";

const record = (step: number, loss: number): StepRecord => ({ step, kind: "step", values: { "ce.loss": loss, learningRate: 0.5 } });

async function write(folder: string, all: readonly StepRecord[], options?: TensorBoardOptions): Promise<void> {
  const hook = tensorBoardFile(folder, options);
  for (const one of all) await hook.onRecord(one);
  await hook.onEnd?.("finished");
}

async function read(folder: string) {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return { names, events: files.map((bytes) => readRecords(bytes).map(readEvent)) };
}

describe("checksums", () => {
  test("crc32c of the standard's check string, and TFRecord's mask of it", () => {
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    // (crc >> 15 | crc << 17) + 0xa282ead8 mod 2^32, worked out by hand.
    expect(maskedCrc(Buffer.from("123456789"))).toBe(0xc78ab0e5);
  });
});

describe("tags", () => {
  test.each([
    ["ce.loss", "step", "loss/ce"],
    ["loss", "step", "loss/total"],
    ["chaos.weighted", "step", "weighted/chaos"],
    ["chaos.lambdaMax", "step", "chaos/lambdaMax"],
    ["gradient.norm", "step", "gradient/norm"],
    ["learningRate", "step", "run/learningRate"],
    ["heldOut.loss", "evaluation", "loss/heldOut"],
    ["heldOut.perplexity", "evaluation", "heldOut/perplexity"],
    ["ce.loss", "evaluation", "evaluation/loss/ce"],
  ] as const)("%s of a %s is %s", (key, kind, tag) => expect(tagOf(key, kind)).toBe(tag));
});

describe("an event file, read independently", () => {
  test("has the version first, then every record's scalars with step and time", async () => {
    const folder = await newFolder();
    const before = Date.now() / 1000;
    await write(folder, [record(1, 5.5), record(2 ** 33, Number.NaN)], { texts: { config: "seed: 7 ä" } });
    const { names, events } = await read(folder);
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^events\.out\.tfevents\.\d{10}\..+/);
    const [version, text, first, second, ...rest] = events[0] ?? [];
    expect(rest).toEqual([]);
    expect(version).toMatchObject({ fileVersion: "brain.Event:2", step: 0 });
    expect(text?.texts).toEqual({ "config/text_summary": "seed: 7 ä" });
    expect(first).toMatchObject({ step: 1, scalars: { "loss/ce": 5.5, "run/learningRate": 0.5 } });
    expect(second).toMatchObject({ step: 2 ** 33, scalars: { "loss/ce": Number.NaN } });
    for (const { wallTime } of events[0] ?? []) expect(wallTime).toBeGreaterThanOrEqual(before);
  });

  test("ten thousand records keep their frames", async () => {
    const folder = await newFolder();
    await write(
      folder,
      Array.from({ length: 10_000 }, (_, i) => record(i + 1, 1 / (i + 1))),
    );
    const { events } = await read(folder);
    expect(events[0]).toHaveLength(10_001);
    expect(events[0]?.at(-1)).toMatchObject({ step: 10_000, scalars: { "loss/ce": Math.fround(1e-4) } });
  });

  test("a flipped bit is found, so the reader does read the checksums", async () => {
    const folder = await newFolder();
    await write(folder, [record(1, 5.5)]);
    const [name = ""] = await readdir(folder);
    const bytes = await readFile(join(folder, name));
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    expect(() => readRecords(bytes)).toThrow("wrong checksum of data at 0");
  });

  test("a resumed run adds a file that sorts after the first and marks where it starts", async () => {
    const folder = await newFolder();
    await write(folder, [record(1, 5), record(2, 4)]);
    await write(folder, [record(2, 4.5)], { from: 2 });
    const { events } = await read(folder);
    expect(events).toHaveLength(2);
    expect(events[1]?.[1]).toMatchObject({ step: 2, sessionStatus: 1 });
  });

  test("the ledger becomes scalars by term", async () => {
    const folder = await newFolder();
    const row = { term: "chaos", value: 1, weighted: 0.5, gradientNorm: 2, cosine: -1, ms: 8 };
    await write(folder, [{ step: 1, kind: "step", values: {}, ledger: [row] }]);
    const scalars = (await read(folder)).events[0]?.[1]?.scalars;
    expect(scalars).toEqual({ "ledger.gradientNorm/chaos": 2, "ledger.cosine/chaos": -1, "ledger.ms/chaos": 8 });
  });

  test("a folder that cannot be made is an io error", async () => {
    const hook = tensorBoardFile("/dev/null/events");
    await expect(hook.onRecord(record(1, 1))).rejects.toMatchObject({ code: "io", message: expect.stringContaining("/dev/null/events") });
  });
});

const python = process.env["EITP_PYTHON"];
describe.skipIf(python === undefined)("TensorBoard (EITP_PYTHON set)", () => {
  test("reads scalars and text, and drops what a resumed run writes anew", async () => {
    const folder = await newFolder();
    await write(folder, [record(1, 5), record(2, 4), record(3, 3)], { texts: { config: "seed: 7" } });
    await write(folder, [record(3, Number.NaN), record(4, 2)], { from: 3 });
    const script = join(import.meta.dirname, "fixtures/read-tensorboard.py");
    const seen = JSON.parse(execFileSync(python ?? "", [script, folder], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    expect(seen.scalars["loss/ce"]).toEqual([
      [1, 5],
      [2, 4],
      [3, "nan"],
      [4, 2],
    ]);
    expect(seen.scalars["run/learningRate"]).toEqual([
      [1, 0.5],
      [2, 0.5],
      [3, 0.5],
      [4, 0.5],
    ]);
    expect(seen.texts).toEqual({ "config/text_summary": "seed: 7" });
  });
});
