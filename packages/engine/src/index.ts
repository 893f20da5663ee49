export { repairAutodiff, stopGradient, type Tape, untaped, withTape } from "./autodiff.ts";
export { assert, EitpError, type ErrorCode, exitCodeOf } from "./error.ts";
export type { AttentionOptions, DualTensor, Ops } from "./ops/types.ts";
export { type Counter, counter, threefry2x32 } from "./random.ts";
export { counterRng, type TensorRng } from "./rng.ts";
