export { datasetFromText } from "./dataset-from-text.ts";
export type { Document } from "./document.ts";
export { encodeDocuments } from "./encode-documents.ts";
export type { Encoder } from "./encoder.ts";
export { type FiniteDataset, type SequentialCursor, type SequentialDatasetOptions, sequentialDataset } from "./sequential-dataset.ts";
export { textBlocks } from "./text-blocks.ts";
export { type TextCursor, type TextDatasetOptions, textDataset } from "./text-dataset.ts";
export { limitTokens, memoryTokens, sliceTokens, type TokenSource } from "./token-source.ts";
