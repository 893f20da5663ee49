import type { Tensor } from "@tensorflow/tfjs-core";
import { EitpError } from "../error.ts";

/**
 * Checks operands before a kernel reads their memory by their shapes.
 * @param expected lengths by axis; null fits any
 * @throws EitpError "usage" naming operation, operand and both shapes.
 */
export function requireShape(operation: string, name: string, x: Tensor, expected: readonly (number | null)[]): void {
  const fits = x.rank === expected.length && expected.every((length, axis) => length === null || length === x.shape[axis]);
  if (!fits || x.dtype !== "float32")
    throw new EitpError(
      "usage",
      `${operation} expects ${name} of float32 [${expected.map((length) => length ?? "any").join(", ")}]; got ${x.dtype} [${x.shape.join(", ")}]`,
    );
}
