import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { EitpError } from "../../error.ts";
import { addKernel } from "./heap.ts";

/**
 * `tf.unsortedSegmentSum`, which the stock backend lacks: the gradient of every gather. Rows are added in their order, so sums have the same
 * bits each time. Rows with a negative id are dropped, as in TensorFlow.
 */
export function addSegmentSum(): void {
  addKernel<{ x: TensorInfo; segmentIds: TensorInfo }, { numSegments: number }>(
    "UnsortedSegmentSum",
    ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
      const rest = x.shape.slice(segmentIds.shape.length);
      const width = util.sizeFromShape(rest);
      const out = backend.makeOutput([numSegments, ...rest], x.dtype);
      // Views only after the allocation: it may grow the heap, which detaches older views.
      const sums = backend.typedArrayFromHeap(out).fill(0);
      const rows = backend.typedArrayFromHeap(x);
      for (const [i, segment] of backend.typedArrayFromHeap(segmentIds).entries()) {
        if (segment < 0) continue;
        if (segment >= numSegments) {
          backend.disposeData(out.dataId);
          throw new EitpError("data", `unsortedSegmentSum: row ${i} has segment ${segment}; expected less than ${numSegments}`);
        }
        const to = segment * width;
        const from = i * width;
        for (let j = 0; j < width; j++) sums[to + j] = (sums[to + j] as number) + (rows[from + j] as number);
      }
      return out;
    },
  );
}
