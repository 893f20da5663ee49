import { execFileSync } from "node:child_process";
import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendSample, environment, readRun, writeRunFile } from "../src/index.ts";
import { info, newFolder } from "./fake-run.ts";

describe("a run folder", () => {
  test("reads back what was written, non-finite numbers included", async () => {
    const folder = join(await newFolder(), "deep", "run");
    const whole = { ...info, result: { step: 3, trainLoss: Number.NaN, perplexity: Number.POSITIVE_INFINITY, heldOutLoss: 5.5 } };
    const machine = await environment(["@eitp/core"], import.meta.dirname);
    await writeRunFile(folder, "run.json", { ...info, status: "running" });
    await writeRunFile(folder, "run.json", whole);
    await writeRunFile(folder, "config.json", { a: [1, null, "x"] });
    await writeRunFile(folder, "environment.json", machine);
    await appendSample(folder, { step: 1, prompt: "p", text: "t\n", options: { topK: 40 } });
    await appendSample(folder, { step: 2, prompt: "", text: "" });
    expect((await readdir(folder)).sort()).toEqual(["config.json", "environment.json", "run.json", "samples.jsonl"]);
    expect(await readRun(folder)).toMatchObject({
      folder,
      info: whole,
      config: { a: [1, null, "x"] },
      environment: machine,
      metrics: { records: 0 },
      samples: [
        { step: 1, prompt: "p", text: "t\n", options: { topK: 40 } },
        { step: 2, prompt: "", text: "" },
      ],
    });
  });

  test("needs no more than run.json", async () => {
    const folder = await newFolder();
    await writeRunFile(folder, "run.json", info);
    expect(await readRun(folder)).toMatchObject({ info, config: null, environment: null, samples: [] });
  });

  test("a sample torn by a kill is left out, then cut", async () => {
    const folder = await newFolder();
    await writeRunFile(folder, "run.json", info);
    await writeFile(join(folder, "samples.jsonl"), '{"step":1,"pro');
    expect((await readRun(folder)).samples).toEqual([]);
    await appendSample(folder, { step: 2, prompt: "p", text: "t" });
    expect((await readRun(folder)).samples).toEqual([{ step: 2, prompt: "p", text: "t" }]);
  });

  test("a missing folder, a file, and a foreign folder are refused with what was expected", async () => {
    const folder = await newFolder();
    await expect(readRun(join(folder, "nowhere"))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("There is no folder"),
    });
    await expect(readRun(folder)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(/not a run folder: expected a file run\.json/),
    });
    await writeFile(join(folder, "file"), "");
    await expect(readRun(join(folder, "file"))).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("is a file") });
  });

  test.each([
    [{ schemaVersion: 2 }, /run\.json: expected schemaVersion 1, found 2.*update EIT-P/],
    [{ ...info, status: "happy" }, /run\.json, status: expected one of running, finished.*found "happy"/],
    [{ ...info, parameters: "many" }, /run\.json, parameters: expected a step|run\.json, parameters: .*found "many"/],
    [{ ...info, result: { trainLoss: null } }, /run\.json, result\.trainLoss: expected a number.*found null/],
  ])("a damaged run.json %j is named", async (content, message) => {
    const folder = await newFolder();
    await writeFile(join(folder, "run.json"), JSON.stringify(content));
    await expect(readRun(folder)).rejects.toMatchObject({ code: "data", message: expect.stringMatching(message) });
  });
});

describe("the environment", () => {
  test("has versions of what is installed, in or out of `exports`, and leaves out the rest", async () => {
    const found = await environment(["@eitp/core", "protobufjs", "no-such-package"], import.meta.dirname);
    const manifest = JSON.parse(await readFile(join(import.meta.dirname, "../package.json"), "utf8"));
    const core = JSON.parse(await readFile(join(import.meta.dirname, "../../core/package.json"), "utf8"));
    expect(found.packages).toEqual({ "@eitp/core": core.version, protobufjs: manifest.dependencies.protobufjs });
    expect(found).toMatchObject({ schemaVersion: 1, node: process.version });
    expect(found.cores).toBeGreaterThan(0);
    expect(found.memoryBytes).toBeGreaterThan(2 ** 20);
  });

  test("knows the commit and whether files differ from it; outside a checkout, nothing", async () => {
    const folder = await newFolder();
    expect((await environment([], folder)).git).toBeNull();
    const git = (...args: readonly string[]): string =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: folder, encoding: "utf8" }).trim();
    git("init", "-q");
    expect((await environment([], folder)).git).toBeNull();
    await writeFile(join(folder, "a"), "1");
    git("add", "a");
    git("commit", "-qm", "one");
    expect((await environment([], folder)).git).toEqual({ commit: git("rev-parse", "HEAD"), dirty: false });
    await appendFile(join(folder, "a"), "2");
    expect((await environment([], folder)).git?.dirty).toBe(true);
  });
});
