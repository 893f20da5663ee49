import { EitpError } from "@eitp/engine/error";
import type { AnyDataset, AnyGradientTransform, AnyOptimizer, Hook, Model, Platform, TermUse } from "../spec/index.ts";
import type { Json } from "./tree.ts";

/** What one optimiser step needs to know. */
export interface TrainerOptions {
  readonly model: Model;
  /** The list of uses is the sum; order does not matter (terms are evaluated and added in name order). */
  readonly terms: readonly TermUse[];
  /** Training batches; each `next` gives one micro-batch. */
  readonly dataset: AnyDataset;
  readonly optimizer: AnyOptimizer;
  /** Applied to the summed gradient in list order, before the optimiser. */
  readonly transforms?: readonly AnyGradientTransform[];
  /** Micro-batches per optimiser step, default 1. Means are over all target tokens of the step, whatever the split. */
  readonly microBatches?: number;
  /** Integer from 0 to 2⁵³ − 1. */
  readonly seed: number;
  /** Ledger every this many steps, default 100; 0 = never. It never changes a bit of the run. */
  readonly ledgerEvery?: number;
  /** Use whose gradient the ledger's cosines are taken with, default "ce". */
  readonly ledgerReference?: string;
  /** Host clock for the ledger, milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** What to evaluate on, and how often. */
export interface ValidationOptions {
  /** A finite data set (`batches` given) or any data set with `batches` below. */
  readonly dataset: AnyDataset;
  /** Evaluate after every this many steps, before the first and after the last. */
  readonly every: number;
  /** At most this many batches; default: all of a finite data set. */
  readonly batches?: number;
  /** UTF-8 bytes per target token of the held-out text, for bits per byte. */
  readonly bytesPerToken?: number;
}

/** Where to save, how often, and how many to keep. */
export interface CheckpointOptions {
  /** Folder inside the platform's store, default "checkpoints". */
  readonly folder?: string;
  /** Save after every this many steps (and always after the last, and when stopped). */
  readonly every: number;
  /** Newest checkpoints kept, default 2; the best one is kept besides. */
  readonly keep?: number;
  /** Resolved configuration, stored in every checkpoint. */
  readonly config?: Json;
}

/** A whole run: the steps, and what happens beside them. */
export interface TrainOptions extends TrainerOptions {
  /** Optimiser steps of the whole run, resumed or not; ≥ 0. */
  readonly steps: number;
  readonly validation?: ValidationOptions;
  readonly checkpoint?: CheckpointOptions;
  /** Stops when held-out loss has not improved by `minDelta` nats (default 0) for `patience` evaluations. */
  readonly earlyStopping?: { readonly patience: number; readonly minDelta?: number };
  readonly hooks?: readonly Hook[];
  /** Needed for checkpoints and dumps. */
  readonly platform?: Platform;
  /** Aborting finishes the running step, saves, and ends the run with reason "aborted". */
  readonly signal?: AbortSignal;
  /** Compare live tensors at equal phase of all cadences and stop on steady growth; default true. */
  readonly leakCheck?: boolean;
}

/** @throws EitpError "usage" for numbers out of range, naming option, value and range. */
export function checkTrainerOptions({ seed, microBatches = 1, ledgerEvery = 0 }: TrainerOptions): void {
  integer("seed", seed, 0);
  integer("microBatches", microBatches, 1);
  integer("ledgerEvery", ledgerEvery, 0);
}

/** @throws EitpError "usage" for numbers out of range, naming option, value and range, and for parts that need others. */
export function checkOptions(options: TrainOptions): void {
  checkTrainerOptions(options);
  const { steps, validation, checkpoint, earlyStopping, platform, hooks = [] } = options;
  integer("steps", steps, 0);
  integer("validation.every", validation?.every, 1);
  integer("validation.batches", validation?.batches, 1);
  integer("checkpoint.every", checkpoint?.every, 1);
  integer("checkpoint.keep", checkpoint?.keep, 1);
  integer("earlyStopping.patience", earlyStopping?.patience, 1);
  for (const hook of hooks) integer(`every of hook '${hook.name}'`, hook.every, 1);
  const { bytesPerToken = 1 } = validation ?? {};
  if (!(bytesPerToken > 0 && Number.isFinite(bytesPerToken)))
    throw new EitpError("usage", `\`validation.bytesPerToken\` is ${bytesPerToken}; expected a finite number > 0`);
  const { minDelta = 0 } = earlyStopping ?? {};
  if (!(minDelta >= 0 && Number.isFinite(minDelta)))
    throw new EitpError("usage", `\`earlyStopping.minDelta\` is ${minDelta}; expected a finite number ≥ 0, in nats`);
  if (validation !== undefined && (validation.batches ?? validation.dataset.batches) === undefined)
    throw new EitpError(
      "usage",
      "the validation data set has no end; give `validation.batches`, or a finite one such as sequentialDataset",
    );
  if (checkpoint !== undefined && platform === undefined)
    throw new EitpError("usage", "checkpoints need a `platform` to be stored on, e.g. nodePlatform(folder)");
  if (earlyStopping !== undefined && validation === undefined)
    throw new EitpError("usage", "early stopping needs `validation` data to watch");
}

function integer(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least))
    throw new EitpError("usage", `\`${name}\` is ${value}; expected an integer ≥ ${least}`);
}
