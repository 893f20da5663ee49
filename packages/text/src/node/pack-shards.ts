import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import type { Document } from "../data/document.ts";
import { encodeChecked } from "../data/encode-documents.ts";
import type { Encoder } from "../data/encoder.ts";
import { atomicFolder, sizeOf } from "./atomic-folder.ts";
import { HashedFile } from "./hashed-file.ts";
import { indexFile, readShardIndex, type ShardIndex, type Source, type SplitName, type SplitRecord } from "./shard-index.ts";
import { type SplitMethod, type SplitSink, splitAuto, splitByDocument, splitTail } from "./split-documents.ts";
import { SplitWriter } from "./split-writer.ts";
import { Spool } from "./spool.ts";
import { bytesPerToken, tokenTypeFor } from "./token-words.ts";

/** What a pack consists of. */
const packFile = /^(index\.json|tokenizer\.eitp\.json|(train|validation)(-\d+\.bin|\.starts))$/;

/** A tokenizer that can be stored beside the tokens it made. */
export interface SavableEncoder extends Encoder {
  readonly name: string;
  /** A JSON value. */
  save(): unknown;
}
/** Options of {@link packShards}. */
export interface PackOptions {
  /** Tokens per shard file; default 10⁸. */
  readonly shardTokens?: number;
  /** Part that is held out, from 0 (nothing) to less than 1; default 0.1. */
  readonly validationFraction?: number;
  /**
   * "document": whole documents, chosen by a hash of their content. "tail": the end of the text, as nanoGPT does.
   * "auto" (default): by document where at least four can be expected to be held out, else the tail, so also for a single book.
   */
  readonly split?: "auto" | "document" | "tail";
  /** Identity of the documents, such as a hash or a package version: a pack that was made of the same is kept. Without it the text is packed anew. */
  readonly identity?: string;
  /** Recorded in the index. */
  readonly sources?: readonly Source[];
  /** Called after every block of about 64 KiB. */
  readonly onProgress?: (progress: PackProgress) => void;
  /** Stops between two blocks. */
  readonly signal?: AbortSignal;
}
/** How far packing has come. */
export interface PackProgress {
  readonly documents: number;
  /** Of text. */
  readonly bytes: number;
  readonly tokens: number;
}
/** A folder of token shards that is there now. */
export interface Pack {
  readonly folder: string;
  readonly index: ShardIndex;
  /** The folder already held the same pack. */
  readonly reused: boolean;
}

/**
 * Tokenises documents into a folder of shards (`train-00000.bin`, `validation-00000.bin`, …) with `index.json`, streamed, in memory that does not
 * grow with the text. Every document is followed by the end-of-text token, where there is one. The folder appears whole or not at all.
 * @throws EitpError "data" for no text, a split without documents, or text the vocabulary cannot express; "io" where the disk is full or refuses;
 * "usage" for impossible options or a folder with other files; "interrupted" on `signal`.
 */
export async function packShards(
  documents: AsyncIterable<Document> | Iterable<Document>,
  tokenizer: SavableEncoder,
  folder: string,
  options: PackOptions = {},
): Promise<Pack> {
  const settings = checked(options);
  const saved = JSON.stringify(tokenizer.save());
  const { shardTokens, validationFraction, split } = settings;
  const request =
    options.identity === undefined ? null : sha256([options.identity, saved, String(shardTokens), String(validationFraction), split]);
  const existing = await intactPack(folder, request);
  if (existing) return { folder, index: existing, reused: true };
  const index = await atomicFolder(folder, packFile, async (temporary) => {
    const layout = { type: tokenTypeFor(tokenizer.vocabularySize), shardTokens, endOfText: tokenizer.endOfText };
    const writers = { train: new SplitWriter(temporary, "train", layout), validation: new SplitWriter(temporary, "validation", layout) };
    try {
      const method = await distribute(stream(documents), settings, temporary, sinkTo(writers, tokenizer, options));
      const train = required(await writers.train.finish(), "training", settings);
      const held = await writers.validation.finish();
      const validation = method === "none" ? null : required(held, "validation", settings);
      const made: ShardIndex = {
        schemaVersion: 1,
        dtype: layout.type,
        vocabularySize: tokenizer.vocabularySize,
        endOfText: tokenizer.endOfText,
        tokenizer: { name: tokenizer.name, file: "tokenizer.eitp.json" },
        split: { method, validationFraction },
        sources: options.sources ?? [],
        train,
        validation,
        fingerprint: `sha256:${sha256([layout.type, saved, JSON.stringify([train, validation])])}`,
        request,
      };
      await writeText(join(temporary, made.tokenizer.file), `${saved}\n`);
      await writeText(join(temporary, indexFile), `${JSON.stringify(made, null, 2)}\n`);
      return made;
    } finally {
      await writers.train.close();
      await writers.validation.close();
    }
  });
  return { folder, index, reused: false };
}

type Settings = Required<Pick<PackOptions, "shardTokens" | "validationFraction" | "split">>;

function checked({ shardTokens = 1e8, validationFraction = 0.1, split = "auto" }: PackOptions): Settings {
  if (!Number.isSafeInteger(shardTokens) || shardTokens < 1)
    throw new EitpError("usage", `shardTokens must be a positive integer, not ${shardTokens}.`);
  if (!(validationFraction >= 0 && validationFraction < 1))
    throw new EitpError("usage", `validationFraction must be from 0 to less than 1, not ${validationFraction}. 0.1 holds out a tenth.`);
  if (!["auto", "document", "tail"].includes(split))
    throw new EitpError("usage", `split must be "auto", "document" or "tail", not ${JSON.stringify(split)}.`);
  return { shardTokens, validationFraction, split };
}

async function distribute(documents: AsyncIterable<Document>, settings: Settings, folder: string, sink: SplitSink): Promise<SplitMethod> {
  const { split, validationFraction } = settings;
  if (validationFraction === 0 || split === "document") {
    await splitByDocument(documents, validationFraction, sink);
    return validationFraction === 0 ? "none" : "document";
  }
  const path = join(folder, "spool.txt");
  const spool = await Spool.create(path);
  try {
    if (split === "auto") return await splitAuto(documents, validationFraction, spool, sink);
    for await (const document of documents) await spool.add(document);
    await splitTail(spool, validationFraction, sink);
    return "tail";
  } finally {
    await spool.close();
    await rm(path, { force: true });
  }
}

function sinkTo(writers: Readonly<Record<SplitName, SplitWriter>>, tokenizer: Encoder, options: PackOptions): SplitSink {
  let [documents, bytes, tokens] = [0, 0, 0];
  return {
    begin: (split) => writers[split].begin(),
    write: async (split, block, id) => {
      if (options.signal?.aborted)
        throw new EitpError("interrupted", "Packing was interrupted; nothing half-written was left behind. Run it again.");
      const ids = encodeChecked(tokenizer, block, id);
      const size = Buffer.byteLength(block);
      await writers[split].write(ids, size);
      bytes += size;
      tokens += ids.length;
      options.onProgress?.({ documents, bytes, tokens });
    },
    end: (split) => {
      documents++;
      return writers[split].end();
    },
  };
}

function required(split: SplitRecord | null, name: string, { validationFraction, split: method }: Settings): SplitRecord {
  if (split) return split;
  const advice = method === "document" ? 'Give more documents, another fraction, or split "tail"' : "Give more text or another fraction";
  throw new EitpError("data", `No text is left for the ${name} split (held-out fraction ${validationFraction}). ${advice}.`);
}

/** The index of the folder, if that holds all files of a pack made for this request. */
async function intactPack(folder: string, request: string | null): Promise<ShardIndex | undefined> {
  if (request === null || (await sizeOf(join(folder, indexFile))) === undefined) return undefined;
  const index = await readShardIndex(folder);
  if (index?.request !== request) return undefined;
  for (const split of [index.train, index.validation]) {
    for (const shard of split?.shards ?? [])
      if ((await sizeOf(join(folder, shard.file))) !== shard.tokens * bytesPerToken(index.dtype)) return undefined;
    if (split && (await sizeOf(join(folder, split.documentStarts.file))) !== split.documents * 8) return undefined;
  }
  return index;
}

async function writeText(path: string, text: string): Promise<void> {
  const file = await HashedFile.create(path);
  try {
    await file.write(Buffer.from(text));
    await file.finish();
  } finally {
    await file.close();
  }
}

function sha256(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
}

async function* stream(documents: AsyncIterable<Document> | Iterable<Document>): AsyncGenerator<Document> {
  yield* documents;
}
