import { join } from "node:path";
import { type FileRecord, HashedFile } from "./hashed-file.ts";
import type { ShardRecord, SplitName, SplitRecord } from "./shard-index.ts";
import { bytesPerToken, type TokenType, toWords } from "./token-words.ts";

export interface SplitLayout {
  readonly type: TokenType;
  /** Tokens per shard file; the last one of a split may hold fewer. */
  readonly shardTokens: number;
  readonly endOfText: number | null;
}

/** Writes one split: shards of equal size, and the positions at which documents start. Memory does not grow with what is written. */
export class SplitWriter {
  readonly #folder: string;
  readonly #name: SplitName;
  readonly #layout: SplitLayout;
  readonly #shards: ShardRecord[] = [];
  #shard: HashedFile | undefined;
  #starts: HashedFile | undefined;
  #tokens = 0;
  #documents = 0;
  #bytes = 0;

  constructor(folder: string, name: SplitName, layout: SplitLayout) {
    this.#folder = folder;
    this.#name = name;
    this.#layout = layout;
  }

  /** A document starts at the next token. */
  async begin(): Promise<void> {
    this.#starts ??= await HashedFile.create(join(this.#folder, `${this.#name}.starts`));
    const position = Buffer.alloc(8);
    position.writeBigUInt64LE(BigInt(this.#tokens));
    await this.#starts.write(position);
    this.#documents++;
  }

  /** Appends ids that stand for `bytes` bytes of text. */
  async write(ids: Int32Array, bytes: number): Promise<void> {
    this.#bytes += bytes;
    const { shardTokens, type } = this.#layout;
    for (let from = 0; from < ids.length; ) {
      const room = shardTokens - (this.#tokens % shardTokens);
      this.#shard ??= await HashedFile.create(join(this.#folder, `${this.#name}-${String(this.#shards.length).padStart(5, "0")}.bin`));
      const part = ids.subarray(from, from + room);
      await this.#shard.write(toWords(part, type));
      this.#tokens += part.length;
      from += part.length;
      if (part.length === room) await this.#endShard();
    }
  }

  /** The document is complete. */
  async end(): Promise<void> {
    const { endOfText } = this.#layout;
    if (endOfText !== null) await this.write(Int32Array.of(endOfText), 0);
  }

  async #endShard(): Promise<void> {
    if (!this.#shard) return;
    const record: FileRecord = await this.#shard.finish();
    this.#shard = undefined;
    this.#shards.push({ file: record.file, tokens: record.bytes / bytesPerToken(this.#layout.type), sha256: record.sha256 });
  }

  /** Closes all files; null where nothing was written. */
  async finish(): Promise<SplitRecord | null> {
    await this.#endShard();
    const starts = await this.#starts?.finish();
    this.#starts = undefined;
    if (!starts) return null;
    const documentStarts = { file: starts.file, sha256: starts.sha256 };
    return { tokens: this.#tokens, documents: this.#documents, bytes: this.#bytes, shards: this.#shards, documentStarts };
  }

  /** After a failure: lets go of the files. */
  async close(): Promise<void> {
    await this.#shard?.close();
    await this.#starts?.close();
  }
}
