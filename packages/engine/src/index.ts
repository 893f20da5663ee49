export { repairAutodiff, stopGradient, type Tape, untaped, withTape } from "./autodiff.ts";
export {
  type BackendChoice,
  type BackendName,
  type BackendReport,
  listBackends,
  type UseBackendOptions,
  useBackend,
} from "./backends/use-backend.ts";
export { hvp, type NamedTensors, valueAndGrad } from "./derivatives.ts";
export { assert, EitpError, type ErrorCode, exitCodeOf } from "./error.ts";
export { composed, type FusedKernel, isFused, keptLogitsBytes } from "./fused/kernels.ts";
export { type AdamWConstants, adamWStep } from "./ops/adam-w-step.ts";
export { type AttentionCache, attentionStep } from "./ops/attention-step.ts";
export { alibiSlopes } from "./ops/attention-tables.ts";
export { choose } from "./ops/choose.ts";
export { dual } from "./ops/dual.ts";
export { embedding } from "./ops/embedding.ts";
export { headCrossEntropy } from "./ops/head-cross-entropy.ts";
export { primal } from "./ops/primal.ts";
export { sumSquares } from "./ops/sum-squares.ts";
export type { AttentionOptions, DualTensor, Ops } from "./ops/types.ts";
export { type Counter, counter, threefry2x32 } from "./random.ts";
export { counterRng, type TensorRng } from "./rng.ts";
export { secondOrderSelfTest } from "./self-test.ts";
