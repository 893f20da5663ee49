import type { TensorInfo } from "@tensorflow/tfjs-core";
import { EitpError } from "../../error.ts";
import { addKernel, addressOf, type WasmBackend } from "./heap.ts";
import { kernelsOf } from "./kernel-module.ts";
import { withScratch } from "./scratch.ts";

interface Inputs {
  readonly h: TensorInfo;
  readonly w: TensorInfo;
  readonly targets: TensorInfo;
}
interface GradInputs extends Inputs {
  readonly dy: TensorInfo;
  readonly lse: TensorInfo;
}

/** `EitHeadLoss` and its gradient; inputs and outputs as `FusedKernel` documents. */
export function addLossKernels(): void {
  addKernel<Inputs, object, TensorInfo[]>("EitHeadLoss", ({ inputs: { h, w, targets }, backend }) => {
    const { n, width, vocabulary, chunk } = sizesOf(h, w);
    requireTargets(backend, targets, vocabulary);
    const out = [0, 1].map(() => backend.makeOutput([n], "float32"));
    const [ph, pw, pt, nll, lse] = [h, w, targets, ...out].map((t) => addressOf(backend, t)) as [number, number, number, number, number];
    const { headLoss, headLossScratch } = kernelsOf(backend);
    withScratch(backend, headLossScratch(chunk, width, vocabulary), (scratch) =>
      headLoss(n, width, vocabulary, chunk, ph, pw, pt, nll, lse, scratch),
    );
    return out;
  });

  addKernel<GradInputs, object, TensorInfo[]>("EitHeadLossGrad", ({ inputs: { dy, h, w, targets, lse }, backend }) => {
    const { n, width, vocabulary, chunk } = sizesOf(h, w);
    const [dh, dw] = [backend.makeOutput(h.shape, "float32"), backend.makeOutput(w.shape, "float32")];
    const at = (t: TensorInfo): number => addressOf(backend, t);
    const { headLossGrad, headLossScratch } = kernelsOf(backend);
    withScratch(backend, headLossScratch(chunk, width, vocabulary), (scratch) =>
      headLossGrad(n, width, vocabulary, chunk, at(dy), at(h), at(w), at(targets), at(lse), at(dh), at(dw), scratch),
    );
    return [dh, dw];
  });
}

/** Logits of one chunk: 1 MiB, so that they stay in the second cache, but no fewer rows than repay packing the head again. */
const chunkFloats = 2 ** 18;
const fewestRows = 64;

function sizesOf(
  h: TensorInfo,
  w: TensorInfo,
): { readonly n: number; readonly width: number; readonly vocabulary: number; readonly chunk: number } {
  const [n, width] = h.shape as [number, number];
  const vocabulary = w.shape[0] as number;
  const chunk = Math.min(n, Math.max(fewestRows, 4 * Math.floor(chunkFloats / vocabulary / 4)));
  return { n, width, vocabulary, chunk };
}

/** The kernel reads the logit of each target: one beyond the vocabulary would be someone else's memory. */
function requireTargets(backend: WasmBackend, targets: TensorInfo, vocabulary: number): void {
  const values = backend.typedArrayFromHeap(targets);
  const at = values.findIndex((id) => id >= vocabulary);
  if (at >= 0)
    throw new EitpError(
      "data",
      `headCrossEntropy: target ${values[at]} at ${at} is outside 0 … ${vocabulary - 1} (−1: ignored). Check tokenizer and vocabulary size.`,
    );
}
