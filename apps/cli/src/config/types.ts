import type { PresetName } from "@eitp/gpt";

/** Where text comes from and how it becomes tokens. */
export interface DataConfig {
  /** Files, folders, globs, or "-" for standard input. */
  readonly inputs: readonly string[];
  /** null: by file name. */
  readonly format: "text" | "jsonl" | "parquet" | null;
  /** Field of JSON Lines, or column of Parquet, that holds the text. */
  readonly field: string;
  /** "bytes", "characters", "gpt2", or the path of a tokenizer file (ours or a Hugging Face `tokenizer.json`). */
  readonly tokenizer: string;
  /** Tokenizer "bytes": adds id 256, which ends every document. */
  readonly endOfText: boolean;
  /** Part held out for evaluation, 0 to less than 1. */
  readonly validationFraction: number;
  readonly split: "auto" | "document" | "tail";
  /** Replace invalid UTF-8 by U+FFFD instead of refusing it. */
  readonly replaceInvalid: boolean;
  readonly order: "epochs" | "random" | "ordered";
  /** Do not predict the first token of a document from the document before it. */
  readonly withinDocuments: boolean;
}
/** The model; `null` takes the preset's value (vocabulary: the tokenizer's). */
export interface ModelConfig {
  readonly preset: PresetName;
  /** Start from the parameters of this run, checkpoint or Hugging Face folder (fine-tuning); shape and tokenizer come from it. */
  readonly from: string | null;
  readonly vocabulary: number | null;
  readonly context: number | null;
  readonly width: number | null;
  readonly layers: number | null;
  readonly heads: number | null;
  readonly dropout: number;
  readonly positions: "learned" | "rotary" | "alibi" | "none";
  readonly tokenShift: boolean;
  readonly logN: boolean;
  /** Added to the variance in every layer norm. */
  readonly epsilon: number;
  readonly initStd: number;
  readonly headBudgetBytes: number | null;
}
interface TrainingConfig {
  /** Optimiser steps in all. */
  readonly steps: number;
  /** Sequences per micro-batch. */
  readonly batch: number;
  readonly microBatches: number;
  /** Tokens per sequence; null: the model's context. */
  readonly length: number | null;
  readonly seed: number;
  /** Largest global gradient norm; 0: no clipping. */
  readonly gradientClip: number;
  /** Stop after this many evaluations without improvement; null: never. */
  readonly patience: number | null;
}
interface ScheduleConfig {
  readonly kind: "constant" | "linear" | "cosine" | "warmupStableDecay";
  readonly warmup: number;
  /** Step at which the floor is reached; null: `training.steps` of the first start. */
  readonly steps: number | null;
  /** Last learning rate; null: a tenth of the peak. */
  readonly floor: number | null;
  /** warmupStableDecay: steps of the decay; null: a fifth of `steps`. */
  readonly decay: number | null;
}
interface OptimizerConfig {
  /** Peak of the schedule. */
  readonly learningRate: number;
  readonly schedule: ScheduleConfig;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}
export interface SamplesConfig {
  /** At checkpoints whose step is a multiple of this; 0: only after the last step. */
  readonly every: number;
  readonly count: number;
  readonly prompt: string;
  readonly maxTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topK: number | null;
  readonly topP: number | null;
  readonly seed: number;
}
/** A complete configuration of a run. */
export interface Config {
  readonly data: DataConfig;
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
  readonly optimizer: OptimizerConfig;
  /** Uses of loss terms by name. */
  readonly terms: { readonly ce: { readonly weight: number } };
  /** `every` 0: never. `batches` null: all held-out text. */
  readonly evaluation: { readonly every: number; readonly batches: number | null };
  readonly checkpoint: { readonly every: number; readonly keep: number };
  /** `every` 0: never. */
  readonly ledger: { readonly every: number };
  readonly samples: SamplesConfig;
  readonly backend: "auto" | "native" | "wasm" | "cpu";
  /** The run folder; null: refused by `train`. */
  readonly out: string | null;
}

type Partly<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: Partly<T[K]> } : T;
/** What a configuration file may hold: any part of {@link Config}. */
export type ConfigInput = Partly<Config>;
