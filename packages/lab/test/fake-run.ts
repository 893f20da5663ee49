import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepRecord } from "@eitp/core/spec";
import { counter } from "@eitp/engine/random";
import { appendSample, environment, type RunInfo, writeRunFile } from "../src/index.ts";
import { encodeRecord } from "../src/metrics/codec.ts";

export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "eitp-lab-"));

export const info: RunInfo = {
  schemaVersion: 1,
  name: "moby-dick nano",
  createdAt: "2026-03-04T05:06:07.000Z",
  command: ["eitp", "train", "--data", "moby dick.txt", "--set", "model.preset=nano"],
  status: "finished",
  seed: 7,
  backend: "wasm",
  parameters: 115_394,
  tokensPerStep: 512,
};

/** The records of a run of so many steps, shaped like a real one: three terms, a ledger, evaluations, checkpoints. */
export function* records(steps: number): Generator<StepRecord> {
  const rng = counter(7);
  const noise = (step: number, purpose: string): number => rng.fold(purpose).gaussian(step);
  const base = (step: number): number => 2.1 + 3.4 * Math.exp((-9 * step) / steps) + 0.5 * Math.exp((-2 * step) / steps);
  const evaluateEvery = Math.max(1, Math.round(steps / 20));
  for (let step = 1; step <= steps; step += 1) {
    const ce = base(step) + 0.12 * noise(step, "ce");
    const chaos = 0.4 * Math.exp((-3 * step) / steps) * Math.exp(0.2 * noise(step, "chaos"));
    const entropy = -0.3 - 0.2 * (step / steps) + 0.03 * noise(step, "entropy");
    const terms = {
      "ce.loss": ce,
      "ce.weight": 1,
      "ce.weighted": ce,
      "chaos.loss": chaos,
      "chaos.weight": 0.1,
      "chaos.weighted": 0.1 * chaos,
    };
    const more = { "entropy.loss": entropy, "entropy.weight": 0.05, "entropy.weighted": 0.05 * entropy, "chaos.lambdaMax": 0.2 - chaos };
    const warm = Math.min(1, step / (0.05 * steps));
    const values = {
      loss: ce + 0.1 * chaos + 0.05 * entropy,
      ...terms,
      ...more,
      "gradient.norm": (0.6 + 4 * Math.exp((-12 * step) / steps)) * Math.exp(0.25 * noise(step, "norm")),
      learningRate: 1e-3 * warm * (0.1 + 0.45 * (1 + Math.cos((Math.PI * step) / steps))),
      stepMs: 180 * Math.exp(0.05 * noise(step, "ms")) * (step === 1 ? 8 : 1),
    };
    const row = (term: string, value: number, weighted: number, gradientNorm: number, cosine: number) => ({
      term,
      value,
      weighted,
      gradientNorm,
      cosine,
      ms: 40,
    });
    const ledger = [
      row("ce", ce, ce, 0.9 + 3 * Math.exp((-8 * step) / steps), 1),
      row("chaos", chaos, 0.1 * chaos, 0.05 * chaos, 0.3 * Math.sin(step / evaluateEvery)),
      row("entropy", entropy, 0.05 * entropy, 0.01, -0.2 + 0.1 * noise(step, "cosine")),
    ];
    yield { step, kind: "step", values, ...(step % evaluateEvery === 1 && { ledger }) };
    if (step % evaluateEvery !== 0) continue;
    yield { step, kind: "checkpoint", values: {}, checkpoint: `checkpoints/step-${step}` };
    const nll = base(step) + 0.15;
    yield {
      step,
      kind: "evaluation",
      values: { "heldOut.loss": nll, "heldOut.perplexity": Math.exp(nll), "heldOut.bitsPerByte": nll / Math.LN2 },
    };
  }
}

/** A whole run folder. */
export async function fakeRun(steps: number, change: (record: StepRecord) => StepRecord = (record) => record): Promise<string> {
  const folder = await newFolder();
  await writeRunFile(folder, "run.json", { ...info, result: { step: steps, wallSeconds: 754.3 } });
  await writeRunFile(folder, "config.json", { model: { preset: "nano", layers: 2 }, optimizer: { learningRate: 1e-3 }, steps });
  await writeRunFile(folder, "environment.json", await environment(["@eitp/core", "protobufjs"], import.meta.dirname));
  await writeFile(join(folder, "metrics.jsonl"), [...records(steps)].map((record) => encodeRecord(change(record))).join(""));
  const options = { temperature: 0.8, topK: 40 };
  await appendSample(folder, { step: 1, prompt: "Call me ", text: "xq#uu e,,tha \u0007 sze\nth", options });
  const text =
    "Ishmael, and the white of the sea was the ship that Ahab had seen\nin the night; “the whale,” said Stubb, “is a strange thing to be said.”";
  await appendSample(folder, { step: steps, prompt: "Call me ", text, options });
  return folder;
}
