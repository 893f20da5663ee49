import { z } from "zod";
import type { Config } from "./types.ts";

const count = (least: number): z.ZodNumber => z.int().min(least);
const fraction = z.number().min(0).lt(1);
const positive = z.number().gt(0);
const orPreset = (least: number): z.ZodDefault<z.ZodNullable<z.ZodNumber>> => count(least).nullable().default(null);

const data = z.strictObject({
  inputs: z.array(z.string()).default([]).describe('Files, folders, globs, or "-" for standard input'),
  format: z.enum(["text", "jsonl", "parquet"]).nullable().default(null).describe("How to read the inputs; null: by file name"),
  field: z.string().min(1).default("text").describe("Field of JSON Lines, or column of Parquet, that holds the text"),
  tokenizer: z.string().min(1).default("bytes").describe('"bytes", "characters", "gpt2", or the path of a tokenizer file'),
  endOfText: z.boolean().default(false).describe('Tokenizer "bytes": add id 256, which ends every document'),
  validationFraction: fraction.default(0.1).describe("Part held out for evaluation"),
  split: z.enum(["auto", "document", "tail"]).default("auto").describe("How to hold out: whole documents, or the end of the text"),
  replaceInvalid: z.boolean().default(false).describe("Replace invalid UTF-8 by U+FFFD instead of refusing it"),
  order: z.enum(["epochs", "random", "ordered"]).default("epochs").describe("Order of the training windows"),
  withinDocuments: z.boolean().default(false).describe("Never predict the first token of a document from the one before it"),
});

const model = z.strictObject({
  preset: z.enum(["nano", "micro", "mini", "gpt2"]).default("nano").describe("Named sizes; the keys below override it"),
  from: z.string().min(1).nullable().default(null).describe("Run, checkpoint or Hugging Face folder to start from (fine-tuning)"),
  vocabulary: orPreset(1).describe("Token ids; null: as many as the tokenizer has"),
  context: orPreset(1).describe("Training length in tokens; with learned positions also the longest input"),
  width: orPreset(1).describe("Width of the residual stream; a multiple of heads"),
  layers: orPreset(1).describe("Number of blocks"),
  heads: orPreset(1).describe("Attention heads per block"),
  dropout: fraction.default(0).describe("Drop probability"),
  positions: z.enum(["learned", "rotary", "alibi", "none"]).default("learned").describe("How positions are told"),
  tokenShift: z.boolean().default(false).describe("Add a learned share of the previous token's embedding"),
  logN: z.boolean().default(false).describe("Scale query i by ln(i + 1)/ln(context)"),
  epsilon: positive.default(1e-5).describe("Added to the variance in every layer norm"),
  initStd: positive.default(0.02).describe("Standard deviation of fresh weights"),
  headBudgetBytes: orPreset(1).describe("Bytes of logits held at once; null: the engine's default"),
});

const training = z.strictObject({
  steps: count(0).default(1000).describe("Optimiser steps in all"),
  batch: count(1).default(8).describe("Sequences per micro-batch"),
  microBatches: count(1).default(1).describe("Micro-batches per optimiser step (gradient accumulation)"),
  length: orPreset(1).describe("Tokens per sequence; null: the model's context"),
  seed: count(0).default(1).describe("Same seed, data and backend: same bits"),
  gradientClip: z.number().min(0).default(1).describe("Largest global gradient norm; 0: no clipping"),
  patience: orPreset(1).describe("Stop after this many evaluations without improvement; null: never"),
});

const schedule = z.strictObject({
  kind: z.enum(["constant", "linear", "cosine", "warmupStableDecay"]).default("cosine").describe("Shape of the learning rate"),
  warmup: count(0).default(0).describe("Steps of linear warm-up"),
  steps: orPreset(1).describe("Step at which the floor is reached; null: training.steps"),
  floor: z.number().min(0).nullable().default(null).describe("Last learning rate; null: a tenth of the peak"),
  decay: orPreset(0).describe("warmupStableDecay: steps of the decay; null: a fifth of steps"),
});

const optimizer = z.strictObject({
  learningRate: positive.default(1e-3).describe("Peak learning rate of AdamW"),
  schedule: schedule.prefault({}),
  beta1: fraction.default(0.9).describe("Decay of the first moment"),
  beta2: fraction.default(0.99).describe("Decay of the second moment"),
  epsilon: positive.default(1e-8).describe("Added to the root of the second moment"),
  weightDecay: z.number().min(0).default(0.1).describe("Decoupled decay of weight matrices"),
});

const samples = z.strictObject({
  every: count(0).default(0).describe("Sample at checkpoints whose step is a multiple of this; 0: only after the last step"),
  count: count(0).default(1).describe("Samples each time"),
  prompt: z.string().min(1).default("\n").describe("What the samples continue"),
  maxTokens: count(1).default(200).describe("New tokens per sample"),
  temperature: z.number().min(0).default(0.8).describe("0: greedy"),
  topK: orPreset(1).describe("Only the likeliest tokens"),
  topP: z.number().gt(0).max(1).nullable().default(null).describe("Only the likeliest tokens that reach this probability together"),
  seed: count(0).default(0).describe("Seed of the samples"),
});

/** Later packages add their terms here; the key is the term's name. */
const terms = z.strictObject({
  ce: z
    .strictObject({ weight: z.number().min(0).default(1).describe("Weight in the objective") })
    .prefault({})
    .describe("Cross-entropy, nats per token"),
});

/** The one schema: strict, so that a slip of the pen is never ignored; rules that join several keys are in `rules.ts`. */
export const configSchema: z.ZodType<Config, unknown> = z.strictObject({
  data: data.prefault({}),
  model: model.prefault({}),
  training: training.prefault({}),
  optimizer: optimizer.prefault({}),
  terms: terms.prefault({}),
  evaluation: z
    .strictObject({
      every: count(0).default(100).describe("Evaluate on held-out text after every this many steps; 0: never"),
      batches: orPreset(1).describe("At most this many batches; null: all held-out text"),
    })
    .prefault({}),
  checkpoint: z
    .strictObject({
      every: count(1).default(100).describe("Save after every this many steps"),
      keep: count(1).default(2).describe("Newest checkpoints kept, besides the best"),
    })
    .prefault({}),
  ledger: z
    .strictObject({ every: count(0).default(100).describe("What each term does to the gradient, every this many steps; 0: never") })
    .prefault({}),
  samples: samples.prefault({}),
  backend: z.enum(["auto", "native", "wasm", "cpu"]).default("auto").describe("Where tensors are computed"),
  out: z.string().min(1).nullable().default(null).describe("The run folder"),
});

/** A JSON Schema as far as we read it. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: { readonly [key: string]: SchemaNode };
}

let json: SchemaNode | undefined;
/** The schema for editors: draft 2020-12, of what a file may hold. */
export function configJsonSchema(): SchemaNode {
  json ??= z.toJSONSchema(configSchema, { io: "input" }) as SchemaNode;
  return json;
}
