export { type Format, type InputFile, inputFiles } from "./inputs.ts";
export { openShards, type Shards, verifyShards } from "./open-shards.ts";
export { type PackFilesOptions, packFiles } from "./pack-files.ts";
export { type Pack, type PackOptions, type PackProgress, packShards, type SavableEncoder } from "./pack-shards.ts";
export { type ReadOptions, readDocuments } from "./read-documents.ts";
export type { ShardIndex, ShardRecord, Source, SplitName, SplitRecord } from "./shard-index.ts";
export type { TokenType } from "./token-words.ts";
