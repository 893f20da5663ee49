export { type ChainCursor, type ChainOptions, chainDataset } from "./data.ts";
export type { Law, LawOptions, MakeTerm } from "./law.ts";
export { describeLossTerm, lossTermLaws, type TestFramework } from "./laws.ts";
export { twoLayer } from "./two-layer.ts";
export type { TwoLayerShape } from "./two-layer-structure.ts";
