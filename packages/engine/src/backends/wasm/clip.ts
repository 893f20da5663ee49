import type { TensorInfo } from "@tensorflow/tfjs-core";
import { replaceKernel } from "./heap.ts";

/** `clipByValue` that keeps NaN. The stock kernel turns it into the lower bound, which would hide a broken run. */
export function honestClip(): void {
  replaceKernel<{ x: TensorInfo }, object>("ClipByValue", (stock) => (call) => {
    const out = stock(call);
    const clipped = call.backend.typedArrayFromHeap(out);
    const values = call.backend.typedArrayFromHeap(call.inputs.x);
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) clipped[i] = Number.NaN;
    return out;
  });
}
