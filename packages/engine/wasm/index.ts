// The kernel module of the wasm backend: what it exports works on addresses of tfjs' heap, in place. It has no memory and no data of its own.
export { adamW } from "./adam-w";
export { attention, attentionGrad, attentionScratch } from "./attention";
export { columnSum, rowSums } from "./elementwise";
export { gelu, geluGrad } from "./gelu";
export { gemm, gemmScratch } from "./gemm";
export { headLoss, headLossGrad, headLossScratch } from "./head-loss";
export { layerNorm, layerNormGrad } from "./layer-norm";
