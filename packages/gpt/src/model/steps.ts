import type { ParamRef, Step, Structure } from "@eitp/core/spec";

/** A step that is not itself a list of steps. */
export type LeafStep = Exclude<Step, { readonly kind: "residual" }>;

/** All steps in order, residual branches opened. */
export function stepsOf(structure: Structure): readonly LeafStep[] {
  const leaves = (steps: readonly Step[]): LeafStep[] => steps.flatMap((step) => (step.kind === "residual" ? leaves(step.steps) : [step]));
  return leaves(structure.steps);
}

/** Every parameter a structure names, once, in the order of its steps. */
export function parametersOf(structure: Structure): readonly ParamRef[] {
  return stepsOf(structure).flatMap(refsOf);
}

function refsOf(step: LeafStep): readonly ParamRef[] {
  switch (step.kind) {
    case "embed":
      return [step.tokens, step.positions, step.shift].filter((ref) => ref !== null);
    case "norm":
      return [step.weight, step.bias];
    case "linear":
      return step.bias === null ? [step.weight] : [step.weight, step.bias];
    case "head":
      return step.tied ? [] : [step.weight];
    case "attention":
    case "activation":
      return [];
  }
}
