export { nextTokenDistribution } from "./distribution.ts";
export { type FinishReason, type GenerationStep, generate } from "./generate.ts";
export { type Generated, generateAll } from "./generate-all.ts";
export type { DistributionOptions, GenerateOptions, SamplingOptions } from "./options.ts";
export { type TextStream, textStream } from "./text-stream.ts";
