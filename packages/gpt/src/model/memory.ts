import type { BatchShape } from "@eitp/core/spec";
import { checkConfig, type GptOptions } from "./config.ts";
import { composedPass, fusedPass } from "./memory-tally.ts";
import { parametersOf } from "./steps.ts";
import { structureOf } from "./structure.ts";

/** Bytes of one training step; all values are float32. */
export interface MemoryEstimate {
  readonly parameters: number;
  /** Of the micro-batch at hand, and with several of them the sum so far. */
  readonly gradients: number;
  /** What the optimiser keeps. */
  readonly moments: number;
  /** What the tape keeps from the forward pass until the backward pass is over. */
  readonly activations: number;
  /** Gradients of activations and scratch at the fullest moment of the backward pass. */
  readonly backward: number;
  /** Scratch at the fullest moment of the update, when activations are gone. */
  readonly update: number;
  /** Parameters, moments, and the larger of both phases: gradients with activations and backward, or one set of gradients with the update. */
  readonly total: number;
}

/** How a step is run, as far as it moves memory. */
export interface EstimateOptions {
  /** Ordinary tfjs kernels ("composed", backend cpu; default), or the fused kernels of wasm and native: `isFused("EitLinear") ? "fused" : "composed"`. */
  readonly operations?: "composed" | "fused";
  /** Fused only: logits up to this size stay for the backward. Default 0, as on wasm; native keeps `keptLogitsBytes` of @eitp/engine. */
  readonly keptLogitsBytes?: number;
  /** Numbers the optimiser keeps per weight: 2 for Adam and AdamW (default), 1 for SGD with momentum, 0 for SGD. */
  readonly momentsPerWeight?: 0 | 1 | 2;
  /** Micro-batches per optimiser step, default 1. */
  readonly microBatches?: number;
  /** Whether gradients are transformed (clipped) before the optimiser sees them, default false: both sets are there at once. */
  readonly transforms?: boolean;
}

/**
 * Peak memory of one optimiser step of cross-entropy: distinct buffers of tensors, as `tf.memory()` would count if it did not count views of one
 * buffer again. Not in it: terms that ask for more than `nll`, the data, the process, and the scratch memory of fused kernels, which lies outside
 * tensors and is gone when a kernel returns: on wasm the largest of a packed block of a product, 1 MiB or 64 rows of logits, and one head's attention
 * (some ten arrays [T, width/heads] and a hundred numbers per token); on native as much for each thread.
 * @throws EitpError "usage" for a configuration that cannot be built.
 * @example
 * ```ts
 * estimateMemory(presets.nano, { sequences: 8, length: 64 }, { operations: "fused" }).total / 2 ** 20; // MiB
 * ```
 */
export function estimateMemory(
  model: GptOptions,
  shape: BatchShape,
  { operations = "composed", keptLogitsBytes = 0, momentsPerWeight = 2, microBatches = 1, transforms = false }: EstimateOptions = {},
): MemoryEstimate {
  const config = checkConfig(model);
  const sizes = parametersOf(structureOf(config)).map((ref) => ref.shape.reduce((a, b) => a * b, 1));
  const weights = sizes.reduce((a, b) => a + b, 0);
  const pass = operations === "fused" ? fusedPass(config, shape, keptLogitsBytes) : composedPass(config, shape);
  // One parameter is moved at a time: the largest, by as many arrays of its size as its step makes before the first goes.
  const moving = arraysPerStep(operations, momentsPerWeight) * Math.max(...sizes);
  const update = Math.max(moving, transforms ? weights : 0);
  const gradients = (microBatches > 1 ? 2 : 1) * weights;
  const moments = momentsPerWeight * weights;

  const bytes = (numbers: number): number => 4 * numbers;
  return {
    parameters: bytes(weights),
    gradients: bytes(gradients),
    moments: bytes(moments),
    activations: bytes(pass.activations),
    backward: bytes(pass.backward),
    update: bytes(update),
    total: bytes(weights + moments + Math.max(gradients + pass.activations + pass.backward, weights + update)),
  };
}

/** AdamW: the fused kernel makes its three results, the composition eleven arrays. SGD: a product and a difference; with momentum, twice that. */
function arraysPerStep(operations: "composed" | "fused", momentsPerWeight: 0 | 1 | 2): number {
  if (momentsPerWeight === 2) return operations === "fused" ? 3 : 11;
  return 2 + 2 * momentsPerWeight;
}
