import type { Structure } from "@eitp/core/spec";
import { type LeafStep, stepsOf } from "./steps.ts";

/** Size of a model as counted from its structure. */
export interface Summary {
  readonly parameters: number;
  /** Multiply–accumulates per token of all linear layers and the head, forward. */
  readonly linearMacs: number;
  /** Multiply–accumulates per query and visible key (score and mix), all layers, forward. */
  readonly attentionMacsPerKey: number;
  readonly rows: readonly SummaryRow[];
}
/** One step of the model. */
export interface SummaryRow {
  readonly name: string;
  readonly kind: LeafStep["kind"];
  readonly parameters: number;
  /** Per token; for attention per query and visible key. */
  readonly macs: number;
}

/**
 * Counts parameters and multiply–accumulates from the description alone; any model with a structure will do.
 * @example
 * ```ts
 * summary(gpt(presets.gpt2).structure).parameters; // 124439808
 * ```
 */
export function summary(structure: Structure): Summary {
  const rows = stepsOf(structure).map(rowOf);
  const sum = (pick: (row: SummaryRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  return {
    parameters: sum((row) => row.parameters),
    linearMacs: sum((row) => (row.kind === "attention" ? 0 : row.macs)),
    attentionMacsPerKey: sum((row) => (row.kind === "attention" ? row.macs : 0)),
    rows,
  };
}

/** Mean forward multiply–accumulates per token of a causal pass over `length` tokens: token t sees t keys, (length + 1)/2 on average. */
export function macsPerToken({ linearMacs, attentionMacsPerKey }: Summary, length: number): number {
  return linearMacs + (attentionMacsPerKey * (length + 1)) / 2;
}

function rowOf(step: LeafStep): SummaryRow {
  const { kind } = step;
  switch (step.kind) {
    case "embed": {
      const refs = [step.tokens, step.positions, step.shift].filter((ref) => ref !== null);
      return { name: "embed", kind, parameters: refs.reduce((total, ref) => total + size(ref.shape), 0), macs: 0 };
    }
    case "norm":
      return { name: step.name, kind, parameters: size(step.weight.shape) + size(step.bias.shape), macs: 0 };
    case "linear":
      return {
        name: step.name,
        kind,
        parameters: size(step.weight.shape) + (step.bias === null ? 0 : size(step.bias.shape)),
        macs: step.from * step.to,
      };
    case "attention":
      return { name: step.name, kind, parameters: 0, macs: 2 * step.heads * step.headWidth };
    case "activation":
      return { name: step.name, kind, parameters: 0, macs: 0 };
    case "head":
      return { name: "head", kind, parameters: step.tied ? 0 : size(step.weight.shape), macs: size(step.weight.shape) };
  }
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
