import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { EitpError } from "../../error.ts";
import { replaceKernel } from "./heap.ts";

interface GatherInputs {
  readonly x: TensorInfo;
  readonly indices: TensorInfo;
}
interface GatherAttributes {
  readonly axis: number;
  readonly batchDims: number;
}

/** Rows of a float table by index as plain copies on the heap; other forms stay with the stock kernel, which is some thirty times slower. */
export function fastGather(): void {
  replaceKernel<GatherInputs, GatherAttributes>("GatherV2", (stock) => (call) => {
    const { inputs, attrs, backend } = call;
    const { x, indices } = inputs;
    if (attrs.axis !== 0 || attrs.batchDims !== 0 || x.dtype !== "float32" || indices.dtype !== "int32") return stock(call);
    const rows = x.shape[0] as number;
    const rest = x.shape.slice(1);
    const width = util.sizeFromShape(rest);
    const out = backend.makeOutput([...indices.shape, ...rest], "float32");
    const to = backend.typedArrayFromHeap(out);
    const from = backend.typedArrayFromHeap(x);
    const wanted = backend.typedArrayFromHeap(indices);
    for (let i = 0; i < wanted.length; i++) {
      const row = wanted[i] as number;
      if (row < 0 || row >= rows) {
        backend.disposeData(out.dataId);
        throw new EitpError("data", `gather: index ${row} at place ${i} is outside 0 … ${rows - 1}`);
      }
      to.set(from.subarray(row * width, (row + 1) * width), i * width);
    }
    return out;
  });
}
