import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flagEntries } from "../src/config/flags.ts";
import { loadConfiguration, type Sources } from "../src/config/load.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "eitp-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
async function refusal(sources: Sources): Promise<string> {
  try {
    await loadConfiguration(sources);
  } catch (error) {
    if (EitpError.is(error) && error.code === "usage") return error.message.replaceAll(`${folder}/`, "");
    throw error;
  }
  throw new Error("the configuration was accepted");
}

const yaml: readonly (readonly [name: string, text: string, ...expected: string[]])[] = [
  ["a tab", "model:\n\twidth: 64\n", "a.yaml:2:1: expected spaces as indentation, found a tab."],
  ["a duplicate key", "model:\n  width: 64\n  width: 32\n", "a.yaml:3:3: expected every key once, found a key a second time."],
  [
    "an unknown key",
    "model:\n  widht: 64\n",
    'a.yaml:2:3: model.widht: expected a known key, found the unknown key "widht". Did you mean model.width?',
  ],
  [
    "a key of another section",
    "training:\n  learningRate: 1\n",
    "a.yaml:2:3: training.learningRate:",
    "Did you mean optimizer.learningRate?",
  ],
  ["an unknown section", "modle:\n  width: 64\n", "a.yaml:2:3: modle:", "Did you mean model?"],
  [
    "an unknown term",
    "terms:\n  cee:\n    weight: 1\n",
    "terms.cee: expected a known loss term (ce), found the unknown term",
    "Did you mean terms.ce?",
  ],
  [
    "a negative learning rate",
    "optimizer:\n  learningRate: -0.1\n",
    "a.yaml:2:3: optimizer.learningRate: expected a number > 0, found -0.1.",
  ],
  ["a NaN learning rate", "optimizer:\n  learningRate: .nan\n", "a.yaml:2:3: optimizer.learningRate: expected a finite number, found NaN."],
  [
    "an infinite learning rate",
    "optimizer: {learningRate: .inf}\n",
    "a.yaml:1:13: optimizer.learningRate: expected a finite number, found Infinity.",
  ],
  ["a quoted number", 'training:\n  steps: "500"\n', 'expected a whole number, found "500". Write 500 without quotes.'],
  ["a fraction of a step", "training:\n  steps: 1.5\n", "training.steps: expected a whole number, found 1.5."],
  [
    "a word that is none of the choices",
    "model:\n  positions: sinus\n",
    'expected one of "learned", "rotary", "alibi", "none", found "sinus".',
  ],
  [
    "width not divisible by heads",
    "model:\n  width: 65\n  heads: 4\n",
    "a.yaml:2:3: model.width: expected a width divisible by heads (4), found 65. Use width 64 or 68",
  ],
  [
    "an odd width per head for rotary",
    "model:\n  width: 20\n  heads: 4\n  positions: rotary\n",
    "model.positions: expected an even width per head",
  ],
  [
    "context longer than positions",
    "model:\n  context: 32\ntraining:\n  length: 33\n",
    "a.yaml:4:3: training.length: expected at most the model's 32 positions, found 33.",
  ],
  [
    "a warm-up longer than the run",
    "training:\n  steps: 5\noptimizer:\n  schedule:\n    warmup: 6\n",
    "a.yaml:5:5: optimizer.schedule.warmup: expected a warm-up of at most the schedule's 5 steps, found 6.",
  ],
  [
    "a floor above the peak",
    "optimizer:\n  learningRate: 1e-3\n  schedule:\n    floor: 0.1\n",
    "a.yaml:4:5: optimizer.schedule.floor: expected at most the peak, optimizer.learningRate (0.001), found 0.1.",
  ],
  ["a scalar for a section", "model: 3\n", "a.yaml:1:1: model: expected a section with preset,", "found 3."],
  ["a list instead of a configuration", "- 1\n", "a.yaml:1:1: expected a section with data,"],
  ["two documents", "backend: cpu\n---\nbackend: wasm\n", "a.yaml:2:1: expected one document, found a second one."],
  ["broken YAML", "model: [1\n", "a.yaml:", "expected valid YAML"],
  ["samples between checkpoints", "samples:\n  every: 50\n", "samples.every: expected a multiple of checkpoint.every (100)"],
];

describe("configuration files", () => {
  test.each(yaml)("refuses %s", async (_name, text, ...expected) => {
    const message = await refusal({ file: file("a.yaml", text) });
    for (const part of expected) expect(message).toContain(part);
  });

  test("reports all problems of all sources at once", async () => {
    const message = await refusal({
      file: file("b.yaml", "model:\n  widht: 3\noptimizer:\n  learningRate: -1\n"),
      environment: { EITP_TRAINING__STEP: "5" },
      set: ["training.batch=0", "nonsense"],
    });
    expect(message.split("\n")).toHaveLength(6);
    expect(message).toContain("The configuration has 5 problems:");
    expect(message).toContain("EITP_TRAINING__STEP: expected a known variable, found an unknown one. Did you mean EITP_TRAINING__STEPS?");
    expect(message).toContain('--set nonsense: expected key=value, found "nonsense".');
    expect(message).toContain("--set training.batch=0: training.batch: expected a number ≥ 1, found 0.");
  });

  test("JSON problems have a place, and JSON is not YAML", async () => {
    expect(await refusal({ file: file("a.json", '{\n  "backend": "gpu"\n}') })).toContain(
      'a.json:2:3: backend: expected one of "auto", "native", "wasm", "cpu"',
    );
    expect(await refusal({ file: file("a.json", '{\n  "backend": "cpu",\n}') })).toMatch(/a\.json:3:1: expected valid JSON/);
    expect(await refusal({ file: file("a.json", '{"backend": "cpu"') })).toContain("expected valid JSON");
    expect(await refusal({ file: file("a.json", '{"out": "a", "out": "b"}') })).toContain("a.json:1:14: expected every key once");
    expect(await refusal({ file: file("a.json", "# no\n{}") })).toContain("expected valid JSON");
  });

  test("TypeScript files are run, and their problems have a place", async () => {
    const good = file("good.ts", "const steps: number = 7;\nexport default { training: { steps } };\n");
    expect((await loadConfiguration({ file: good })).config.training.steps).toBe(7);
    const bad = file("bad.ts", 'export default {\n  model: { width: 64 },\n  optimizer: {\n    learningRate: "fast",\n  },\n};\n');
    expect(await refusal({ file: bad })).toContain('bad.ts:4:5: optimizer.learningRate: expected a finite number, found "fast".');
  });

  test("refuses a missing file, a folder, another ending and bytes that are no text", async () => {
    expect(await refusal({ file: join(folder, "none.yaml") })).toContain("There is no configuration file none.yaml");
    expect(await refusal({ file: folder })).toContain("is a folder");
    expect(await refusal({ file: file("a.toml", "") })).toContain("ends in .yaml");
    writeFileSync(join(folder, "c.yaml"), Uint8Array.of(0x61, 0xff));
    expect(await refusal({ file: join(folder, "c.yaml") })).toContain("is not UTF-8");
  });

  test("an empty file changes nothing", async () => {
    const { config } = await loadConfiguration({ file: file("empty.yaml", "# nothing\n") });
    expect(config).toEqual((await loadConfiguration({})).config);
  });
});

describe("precedence", () => {
  const path = (): string => file("p.yaml", "training:\n  steps: 1\n  batch: 1\n  seed: 1\n  microBatches: 1\n");
  test("defaults < file < environment < --set < flags", async () => {
    const { config } = await loadConfiguration({
      file: path(),
      environment: { EITP_TRAINING__BATCH: "2", EITP_TRAINING__SEED: "2", EITP_TRAINING__MICRO_BATCHES: "2", PATH: "/bin" },
      set: ["training.seed=3", "training.microBatches=3"],
      flags: [{ path: ["training", "microBatches"], value: 4, place: "--micro-batches" }],
    });
    expect(config.training).toMatchObject({ steps: 1, batch: 2, seed: 3, microBatches: 4, gradientClip: 1 });
  });

  test("--set and the environment read values as the key wants them", async () => {
    const { config } = await loadConfiguration({
      environment: { EITP_OPTIMIZER__LEARNING_RATE: "3e-4", EITP_MODEL__TOKEN_SHIFT: "true", EITP_DEBUG: "1" },
      set: ["samples.prompt=123", "data.inputs=[a.txt, b.txt]", "model.width=null", "data.tokenizer=gpt2"],
    });
    expect(config.optimizer.learningRate).toBe(3e-4);
    expect(config.model).toMatchObject({ tokenShift: true, width: null });
    expect(config.samples.prompt).toBe("123");
    expect(config.data).toMatchObject({ inputs: ["a.txt", "b.txt"], tokenizer: "gpt2" });
  });

  test("an unknown key cannot hide in a prototype", async () => {
    expect(await refusal({ set: ["__proto__.steps=1"] })).toContain("expected a known key");
    expect(await refusal({ file: file("proto.yaml", "__proto__:\n  steps: 1\n") })).toContain("proto.yaml:2:3");
  });
});

test("--field is data.field, and named where it is wrong", async () => {
  const { config } = await loadConfiguration({ flags: flagEntries({ set: [], field: "body" }) });
  expect(config.data.field).toBe("body");
  expect(await refusal({ flags: flagEntries({ set: [], field: "" }) })).toContain("data.field");
});
