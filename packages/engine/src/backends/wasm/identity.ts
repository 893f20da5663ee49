import type { TensorInfo } from "@tensorflow/tfjs-core";
import { replaceKernel } from "./heap.ts";

/** `clone` shares the data, as on every other backend; the stock kernel copies, and the tape clones each tensor it saves. */
export function sharedIdentity(): void {
  replaceKernel<{ x: TensorInfo }, object>("Identity", (stock) => (call) => {
    const { dataId, shape, dtype } = call.inputs.x;
    if (dtype === "string") return stock(call);
    call.backend.incRef(dataId);
    return { dataId, shape, dtype };
  });
}
