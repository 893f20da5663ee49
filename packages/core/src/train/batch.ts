import { EitpError } from "@eitp/engine/error";
import { tensor2d } from "@tensorflow/tfjs-core";
import type { HostBatch, ModelBatch } from "../spec/index.ts";

/** Device copy of a host batch, two int32 tensors [sequences, length]. */
export function batchTensors({ tokens, targets, shape: { sequences, length } }: HostBatch): ModelBatch {
  return { tokens: tensor2d(tokens, [sequences, length], "int32"), targets: tensor2d(targets, [sequences, length], "int32") };
}

/**
 * Refuses a batch whose ids do not fit the model, before a kernel reads out of bounds.
 * @throws EitpError "data" naming the position, the id and the vocabulary.
 */
export function checkBatch({ tokens, targets, shape }: HostBatch, vocabulary: number): void {
  const size = shape.sequences * shape.length;
  if (tokens.length !== size || targets.length !== size)
    throw new EitpError(
      "data",
      `a batch of shape [${shape.sequences}, ${shape.length}] holds ${tokens.length} tokens and ${targets.length} targets; expected ${size} of each`,
    );
  const check = (ids: Int32Array, what: string, least: number): void => {
    const at = ids.findIndex((id) => id < least || id >= vocabulary);
    if (at >= 0)
      throw new EitpError(
        "data",
        `${what} ${ids[at]} at sequence ${Math.floor(at / shape.length)}, position ${at % shape.length} is outside the model's vocabulary of ${vocabulary}. Use the tokenizer the model was made for`,
      );
  };
  check(tokens, "token id", 0);
  check(targets, "target id", -1);
}

/** Target tokens that count: those that are not −1. */
export function countTargets({ targets }: HostBatch): number {
  let n = 0;
  for (const id of targets) if (id >= 0) n++;
  return n;
}
