import { engine, memory, type Tensor } from "@tensorflow/tfjs-core";
import type { Cost } from "../spec/index.ts";

type RunKernel = ReturnType<typeof engine>["runKernel"];

/** Matrix products made and peak bytes above the start while `f` runs. Element-wise kernels count no MACs. */
export async function metered(f: () => Promise<void>): Promise<Cost> {
  const e = engine();
  const original: RunKernel = e.runKernel;
  const start = memory().numBytes;
  let macs = 0;
  let peak = start;
  const counting: RunKernel = (name, inputs, attributes) => {
    const result = original.call(e, name, inputs, attributes);
    peak = Math.max(peak, e.state.numBytes);
    if (name === "BatchMatMul" || name === "_FusedMatMul") {
      const a = inputs["a"] as Tensor;
      const inner = attributes?.["transposeA"] === true ? a.shape.at(-2) : a.shape.at(-1);
      macs += (result as Tensor).size * (inner ?? 0);
    }
    return result as never;
  };
  e.runKernel = counting;
  try {
    await f();
  } finally {
    e.runKernel = original;
  }
  return { macs, bytes: peak - start };
}
