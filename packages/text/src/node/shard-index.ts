import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { errnoOf } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import type { TokenType } from "./token-words.ts";

/** The two parts of a pack. */
export type SplitName = "train" | "validation";

/** One `.bin` file: tokens, little endian, nothing else. */
export interface ShardRecord {
  readonly file: string;
  readonly tokens: number;
  readonly sha256: string;
}
/** One part of a pack. */
export interface SplitRecord {
  readonly tokens: number;
  readonly documents: number;
  /** UTF-8 bytes of the text, for bits per byte. */
  readonly bytes: number;
  readonly shards: readonly ShardRecord[];
  /** Positions in the split at which documents start: uint64, little endian, ascending. */
  readonly documentStarts: { readonly file: string; readonly sha256: string };
}
/** A file the documents came from. */
export interface Source {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** `index.json` of a folder of token shards. */
export interface ShardIndex {
  readonly schemaVersion: 1;
  readonly dtype: TokenType;
  readonly vocabularySize: number;
  readonly endOfText: number | null;
  /** The saved tokenizer, a JSON file in the folder. */
  readonly tokenizer: { readonly name: string; readonly file: string };
  readonly split: { readonly method: "document" | "tail" | "none"; readonly validationFraction: number };
  readonly sources: readonly Source[];
  readonly train: SplitRecord;
  readonly validation: SplitRecord | null;
  /** Hash of all token files, document starts and the tokenizer. */
  readonly fingerprint: string;
  /** Hash of everything that was asked for; null where the identity of the documents was not known. */
  readonly request: string | null;
}

export const indexFile = "index.json";

/** The index of a folder, or undefined where there is none. @throws EitpError "data" where it is damaged or newer than this version. */
export async function readShardIndex(folder: string): Promise<ShardIndex | undefined> {
  const path = join(folder, indexFile);
  try {
    return parseIndex(JSON.parse(await readFile(path, "utf8")), path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    if (EitpError.is(error)) throw error;
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
}

function damaged(path: string, reason: string): EitpError {
  return new EitpError("data", `${path} is not a usable index of token shards: ${reason}. Pack the text again.`);
}

function parseIndex(value: unknown, path: string): ShardIndex {
  const index = record(value, path, "the file");
  const version = index["schemaVersion"];
  if (version !== 1) {
    const advice = typeof version === "number" && version > 1 ? "Update EIT-P, or pack the text again" : "Pack the text again";
    throw new EitpError("data", `${path} has schema version ${JSON.stringify(version)}; this version reads 1. ${advice}.`);
  }
  const tokenizer = record(index["tokenizer"], path, "tokenizer");
  const split = record(index["split"], path, "split");
  const dtype = text(index["dtype"], path, "dtype");
  const method = text(split["method"], path, "split.method");
  if (dtype !== "uint16" && dtype !== "uint32") throw damaged(path, `dtype must be uint16 or uint32, found ${dtype}`);
  if (method !== "document" && method !== "tail" && method !== "none") throw damaged(path, `unknown split.method ${method}`);
  return {
    schemaVersion: 1,
    dtype,
    vocabularySize: count(index["vocabularySize"], path, "vocabularySize"),
    endOfText: index["endOfText"] === null ? null : count(index["endOfText"], path, "endOfText"),
    tokenizer: { name: text(tokenizer["name"], path, "tokenizer.name"), file: fileName(tokenizer["file"], path, "tokenizer.file") },
    split: { method, validationFraction: Number(split["validationFraction"]) },
    sources: list(index["sources"], path, "sources").map((item, i) => sourceOf(item, path, `sources[${i}]`)),
    train: splitOf(index["train"], path, "train"),
    validation: index["validation"] === null ? null : splitOf(index["validation"], path, "validation"),
    fingerprint: text(index["fingerprint"], path, "fingerprint"),
    request: index["request"] === null ? null : text(index["request"], path, "request"),
  };
}

function splitOf(value: unknown, path: string, where: string): SplitRecord {
  const split = record(value, path, where);
  const starts = record(split["documentStarts"], path, `${where}.documentStarts`);
  const shards = list(split["shards"], path, `${where}.shards`).map((item, i): ShardRecord => {
    const at = `${where}.shards[${i}]`;
    const shard = record(item, path, at);
    return {
      file: fileName(shard["file"], path, `${at}.file`),
      tokens: count(shard["tokens"], path, `${at}.tokens`),
      sha256: text(shard["sha256"], path, `${at}.sha256`),
    };
  });
  const tokens = count(split["tokens"], path, `${where}.tokens`);
  const sum = shards.reduce((total, shard) => total + shard.tokens, 0);
  if (sum !== tokens) throw damaged(path, `${where} has ${tokens} tokens, its shards ${sum}`);
  return {
    tokens,
    documents: count(split["documents"], path, `${where}.documents`),
    bytes: count(split["bytes"], path, `${where}.bytes`),
    shards,
    documentStarts: {
      file: fileName(starts["file"], path, `${where}.documentStarts.file`),
      sha256: text(starts["sha256"], path, `${where}.documentStarts.sha256`),
    },
  };
}
function sourceOf(value: unknown, path: string, where: string): Source {
  const source = record(value, path, where);
  return {
    path: text(source["path"], path, `${where}.path`),
    bytes: count(source["bytes"], path, `${where}.bytes`),
    sha256: text(source["sha256"], path, `${where}.sha256`),
  };
}
function record(value: unknown, path: string, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw damaged(path, `${where} must be an object`);
}
function list(value: unknown, path: string, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(path, `${where} must be a list`);
}
function text(value: unknown, path: string, where: string): string {
  if (typeof value === "string") return value;
  throw damaged(path, `${where} must be a string`);
}
function count(value: unknown, path: string, where: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged(path, `${where} must be an integer from 0 on`);
}
/** A name, not a path: an index from elsewhere must not point out of its folder. */
function fileName(value: unknown, path: string, where: string): string {
  const name = text(value, path, where);
  if (name !== "" && name === basename(name) && name !== "..") return name;
  throw damaged(path, `${where} must be a plain file name, found ${JSON.stringify(name)}`);
}
