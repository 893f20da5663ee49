import {
  customGrad,
  type GradSaveFunc,
  gather,
  reshape,
  type Tensor,
  type Tensor1D,
  tidy,
  unsortedSegmentSum,
} from "@tensorflow/tfjs-core";
import { EitpError } from "../error.ts";

/**
 * Rows of a table: table [V, D], ids int32 [..] → [.., D]. The gradient adds rows in the order of the ids, so it is deterministic.
 * @throws EitpError "data" when an id is outside 0 … V − 1: nothing is read out of bounds.
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (table.rank !== 2 || ids.dtype !== "int32")
    throw new EitpError("usage", `embedding expects a table [V, D] and int32 ids; got [${table.shape}] and ${ids.dtype} [${ids.shape}]`);
  const [rows, width] = table.shape as [number, number];
  const flat = reshape(ids, [-1]) as Tensor1D;
  const lookup = customGrad((...args) => {
    const [t, save] = args as unknown as [Tensor, GradSaveFunc];
    save([flat]);
    return {
      value: checkedGather(t, flat),
      gradFunc: (dy: Tensor, saved: Tensor[]) => tidy(() => unsortedSegmentSum(dy, saved[0] as Tensor1D, rows)),
    };
  });
  return reshape(lookup(table), [...ids.shape, width]);
}

/** The gather kernels of cpu and wasm check every id; only their message needs our words. */
function checkedGather(table: Tensor, flat: Tensor1D): Tensor {
  try {
    return gather(table, flat);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new EitpError(
      "data",
      `embedding: an id is outside 0 … ${(table.shape[0] as number) - 1}: ${what}. Check tokenizer and vocabulary size.`,
      {
        cause,
      },
    );
  }
}
