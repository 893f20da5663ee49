import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Ended, eitp, prose, set, temporaryFolder, write } from "./support.ts";

const folder = temporaryFolder();
const text = write(folder, "prose.txt", prose);
const run = join(folder, "run");
const train = (out: string, steps: number, ...more: readonly string[]): readonly string[] => {
  const cadences = set("checkpoint.every=2", "evaluation.every=2");
  return ["train", "--data", text, "--steps", String(steps), "--out", out, ...cadences, ...more];
};
const records = ({ stdout }: Ended): readonly { readonly kind: string; readonly step: number }[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("train, resume, use", () => {
  let first: Ended;
  beforeAll(async () => {
    first = await eitp(train(run, 5));
  });

  test("train: one JSON line a record, the result last; remarks on stderr", () => {
    expect(first).toMatchObject({ code: 0 });
    const kinds = records(first).map(({ kind, step }) => `${kind} ${step}`);
    expect(kinds.slice(0, 5)).toEqual(["evaluation 0", "step 1", "step 2", "checkpoint 2", "evaluation 2"]);
    expect(kinds.at(-1)).toBe("result 5");
    expect(first.stderr).toContain("bits per byte");
    expect(first.stderr).toContain("--- sample ---");
  });

  test("the run folder holds everything", () => {
    const names = ["checkpoints", "config.json", "data", "environment.json", "metrics.jsonl", "report.html", "run.json", "samples.jsonl"];
    expect(readdirSync(run).sort()).toEqual([...names, "tensorboard", "tokenizer.eitp.json"]);
    const { model, training } = JSON.parse(readFileSync(join(run, "config.json"), "utf8"));
    expect(model).toMatchObject({ vocabulary: 256, width: 8, layers: 1, heads: 2, context: 8 });
    expect(training.length).toBe(8);
    expect(JSON.parse(readFileSync(join(run, "run.json"), "utf8"))).toMatchObject({ status: "finished", result: { step: 5 } });
    expect(readFileSync(join(run, "report.html"), "utf8")).toContain("<svg");
  });

  test("resume goes on for more steps", async () => {
    const ended = await eitp(["resume", run, "--more", "2", "--json"]);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain("(step 5)");
    expect(records(ended).at(-1)).toMatchObject({ kind: "result", step: 7, reason: "finished" });
    const steps = readFileSync(join(run, "metrics.jsonl"), "utf8").match(/"step":\d+,"kind":"step"/g);
    expect(steps).toHaveLength(7);
  });

  test("generate streams the prompt and its continuation; the same seed, the same text", async () => {
    const words = ["generate", run, "--prompt", "Call me", "--max-tokens", "6", "--seed", "3"];
    const [streamed, json] = await Promise.all([eitp(words), eitp([...words, "--batch", "2", "--json"])]);
    expect(streamed.code).toBe(0);
    expect(streamed.stdout.startsWith("Call me")).toBe(true);
    const rows = records(json) as unknown as readonly { readonly text: string; readonly tokens: readonly number[] }[];
    expect(rows).toHaveLength(2);
    expect(rows[0]?.tokens).toHaveLength(6);
    expect(streamed.stdout).toBe(`Call me${rows[0]?.text}\n`);
    expect(streamed.stderr).not.toContain("positions");
    const long = await eitp(["generate", run, "--prompt", "Call me Ishmael", "--max-tokens", "1"]);
    expect(long.stderr).toContain("the prompt has 15 tokens, the model 8 learned positions: it goes on from the last 4");
  });

  test("inspect verifies and describes; eval measures", async () => {
    const [inspected, evaluated] = await Promise.all([eitp(["inspect", run, "--json"]), eitp(["eval", run, "--data", text, "--json"])]);
    const heldOut = await eitp(["eval", run, "--json"]);
    expect(JSON.parse(heldOut.stdout)).toMatchObject({ step: 7, text: "held out in training" });
    expect(JSON.parse(inspected.stdout)).toMatchObject({ kind: "run", step: 7, checksums: "verified", tokenizer: { name: "bytes" } });
    const losses = readFileSync(join(run, "metrics.jsonl"), "utf8").match(/(?<="heldOut.loss":)[\d.]+/g) ?? [];
    expect(losses.length).toBeGreaterThan(2);
    expect(JSON.parse(inspected.stdout).best.loss).toBe(Math.min(...losses.map(Number)));
    expect(JSON.parse(inspected.stdout).best.step).toBe(7);
    const { nll, bitsPerByte, tokens } = JSON.parse(evaluated.stdout);
    expect(tokens).toBe(Buffer.byteLength(prose) - 1);
    expect(bitsPerByte).toBeCloseTo(nll / Math.LN2, 6);
  });

  test("export, import, and the same greedy text from both", async () => {
    const hf = join(folder, "hf");
    const imported = join(folder, "imported");
    expect(await eitp(["export", run, "--format", "hf", "--out", hf])).toMatchObject({ code: 0 });
    expect(readdirSync(hf)).toContain("model.safetensors");
    const refused = await eitp(["export", run, "--out", hf, "--json"]);
    expect(refused.code).toBe(64);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "usage" } });
    expect(await eitp(["import", hf, "--out", imported])).toMatchObject({ code: 0 });
    const refusedToo = await eitp(["resume", imported, "--more", "1"]);
    expect(refusedToo).toMatchObject({ code: 64 });
    expect(refusedToo.stderr).toMatch(/was imported and has no text to learn from.*eitp train --from/);
    const greedy = (model: string): Promise<Ended> =>
      eitp(["generate", model, "--prompt", "Call", "--temperature", "0", "--max-tokens", "8"]);
    const [a, b] = await Promise.all([greedy(run), greedy(imported)]);
    expect(a.code).toBe(0);
    expect(b.stdout).toBe(a.stdout);
  });
});

describe("signals and pipes", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("%s saves and ends with 130", async (signal) => {
    const out = join(folder, signal);
    let sent = false;
    const ended = await eitp(train(out, 100_000), (child, stdout) => {
      if (!sent && stdout.includes('"kind":"step"')) sent = child.kill(signal);
    });
    expect(ended.code).toBe(130);
    expect(ended.stderr).toMatch(/interrupted: stopped after step \d+; saved in .*checkpoints\/step-/);
    expect(ended.stderr).not.toContain("    at ");
    const step = String(/stopped after step (\d+)/.exec(ended.stderr)?.[1]).padStart(8, "0");
    expect(existsSync(join(out, "checkpoints", `step-${step}`, "state.json"))).toBe(true);
    expect(existsSync(join(out, "run.lock"))).toBe(false);
  });

  test("a closed stdout: training saves and ends with 0, other commands end quietly", async () => {
    const out = join(folder, "head");
    let closed = false;
    const training = await eitp(train(out, 100_000), (child, stdout) => {
      if (!closed && stdout.includes('"kind":"step"')) closed = child.stdout?.destroy() !== undefined;
    });
    expect(training.code).toBe(0);
    expect(training.stderr).toMatch(/Output was closed: stopped after step \d+; saved in/);
    const schema = await eitp(["config", "schema"], (child) => child.stdout?.destroy());
    expect(schema).toMatchObject({ code: 0, stderr: "" });
  });

  test.skipIf(!existsSync("/dev/full"))("a stdout that cannot be written to", async () => {
    const full = openSync("/dev/full", "w");
    const ended = await eitp(["config", "schema"], undefined, full);
    closeSync(full);
    expect(ended.code).toBe(74);
    expect(ended.stderr).toMatch(/^error: standard output cannot be written to: ENOSPC/);
  });
});

describe("words", () => {
  test("help and version answer; mistakes have exit code 64 and one message", async () => {
    const [help, version, unknown, none, value] = await Promise.all([
      eitp(["train", "--help"]),
      eitp(["--version"]),
      eitp(["trian"]),
      eitp([]),
      eitp(["generate", "x", "--max-tokens", "-3"]),
    ]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("Configuration, strongest first");
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(unknown.code).toBe(64);
    expect(unknown.stderr).toContain("Did you mean train?");
    expect(none.code).toBe(64);
    expect(value.code).toBe(64);
    expect(value.stderr).toContain("whole number of at least 1");
  });

  test("config schema is JSON Schema, config show what a run would use", async () => {
    const [schema, shown] = await Promise.all([
      eitp(["config", "schema"]),
      eitp(["config", "show", "--set", "training.steps=9", "--seed", "4", "--json"]),
    ]);
    expect(JSON.parse(schema.stdout)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      additionalProperties: false,
    });
    expect(JSON.parse(shown.stdout)).toMatchObject({ training: { steps: 9, seed: 4 } });
  });

  test("completion prints a script, and the script's question is answered", async () => {
    const [script, answer] = await Promise.all([eitp(["completion", "bash"]), eitp(["complete", "--", "train", "--b"])]);
    expect(script.stdout).toContain("bash completion for eitp");
    expect(answer.stdout).toContain("--backend");
  });
});
