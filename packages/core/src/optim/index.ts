export { type AdamOptions, type AdamState, type AdamWOptions, adam, adamW } from "./adam.ts";
export { globalNorm } from "./norm.ts";
export {
  type CosineOptions,
  constant,
  cosine,
  type LinearOptions,
  linear,
  type WarmupStableDecayOptions,
  warmupStableDecay,
} from "./schedule.ts";
export { type SgdOptions, type SgdState, sgd } from "./sgd.ts";
export { chain, clipByGlobalNorm } from "./transform.ts";
