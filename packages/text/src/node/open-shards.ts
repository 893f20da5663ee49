import { createHash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, EitpError } from "@eitp/engine/error";
import { ascendingIn, checkRange, type TokenSource } from "../data/token-source.ts";
import { readShardIndex, type ShardIndex, type ShardRecord, type SplitName, type SplitRecord } from "./shard-index.ts";
import { bytesPerToken, fromWords, type TokenType } from "./token-words.ts";

/** A folder of token shards, open for reading. */
export interface Shards {
  readonly index: ShardIndex;
  readonly train: TokenSource;
  /** Null where nothing was held out. */
  readonly validation: TokenSource | null;
  /** What the tokenizer saved; a JSON value. */
  tokenizer(): Promise<unknown>;
  /** Closes the files; reading afterwards throws. */
  close(): void;
}

/**
 * Opens what `packShards` wrote. Sizes are checked here, contents by {@link verifyShards}.
 * @throws EitpError "data" where the folder holds no pack, or one that is damaged or of a newer schema.
 */
export async function openShards(folder: string): Promise<Shards> {
  const index = await readShardIndex(folder);
  if (!index) throw new EitpError("data", `${folder} holds no token shards (no index.json). Pack a text into it first.`);
  const handles: number[] = [];
  const close = (): void => {
    for (const handle of handles.splice(0)) closeSync(handle);
  };
  const open = (split: SplitRecord, name: SplitName): TokenSource => fileTokens(folder, index, split, name, handles);
  try {
    return {
      index,
      train: open(index.train, "train"),
      validation: index.validation && open(index.validation, "validation"),
      tokenizer: async () => JSON.parse(await readFile(join(folder, index.tokenizer.file), "utf8")) as unknown,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Reads every file of a pack and compares it with its checksum.
 * @throws EitpError "data" naming the first file that differs.
 */
export async function verifyShards(folder: string, index: ShardIndex): Promise<void> {
  for (const split of [index.train, index.validation]) {
    for (const { file, sha256 } of split ? [...split.shards, split.documentStarts] : []) {
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(join(folder, file), { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array);
      if (hash.digest("hex") !== sha256) throw damaged(join(folder, file), "its content differs from its checksum");
    }
  }
}

interface OpenShard extends ShardRecord {
  readonly handle: number;
  /** Position of its first token in the split. */
  readonly start: number;
}

function fileTokens(folder: string, index: ShardIndex, split: SplitRecord, name: SplitName, handles: number[]): TokenSource {
  let start = 0;
  const shards = split.shards.map((shard): OpenShard => {
    const handle = openShard(join(folder, shard.file), shard.tokens * bytesPerToken(index.dtype));
    handles.push(handle);
    const opened = { ...shard, handle, start };
    start += shard.tokens;
    return opened;
  });
  const starts = documentStarts(join(folder, split.documentStarts.file), split.documents);
  return {
    length: split.tokens,
    fingerprint: `${index.fingerprint}/${name}`,
    read: (from, count) => {
      checkRange(from, count, split.tokens);
      if (handles.length === 0) throw new EitpError("usage", `The token shards in ${folder} were closed. Open them again to read.`);
      return readAcross(shards, from, count, index.dtype);
    },
    startsIn: (from, to) => ascendingIn(starts, from, to),
  };
}

function openShard(path: string, bytes: number): number {
  const handle = onFile(path, () => openSync(path, "r"));
  const found = fstatSync(handle).size;
  if (found === bytes) return handle;
  closeSync(handle);
  throw damaged(path, `it has ${found} bytes, expected ${bytes}`);
}

function documentStarts(path: string, documents: number): Float64Array {
  const bytes = onFile(path, () => readFileSync(path));
  if (bytes.length !== documents * 8) throw damaged(path, `it has ${bytes.length} bytes, expected ${documents * 8}`);
  return Float64Array.from({ length: documents }, (_, i) => Number(bytes.readBigUInt64LE(8 * i)));
}

/** A stretch may begin in one shard and end in another. */
function readAcross(shards: readonly OpenShard[], from: number, count: number, type: TokenType): Int32Array {
  const tokens = new Int32Array(count);
  const width = bytesPerToken(type);
  for (let done = 0; done < count; ) {
    const at = from + done;
    const shard = shardAt(shards, at);
    const part = Buffer.alloc(Math.min(count - done, shard.start + shard.tokens - at) * width);
    const read = readSync(shard.handle, part, 0, part.length, (at - shard.start) * width);
    if (read !== part.length) throw damaged(shard.file, "it became shorter while it was open");
    tokens.set(fromWords(part, type), done);
    done += part.length / width;
  }
  return tokens;
}

function shardAt(shards: readonly OpenShard[], at: number): OpenShard {
  const found = shards.find((shard) => at < shard.start + shard.tokens);
  assert(found, `no shard holds token ${at}`);
  return found;
}

function onFile<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  }
}
function damaged(path: string, reason: string, cause?: unknown): EitpError {
  return new EitpError(
    "data",
    `The token shard ${path} is damaged: ${reason}. Remove its folder and pack the text again; eitp resume does.`,
    { cause },
  );
}
