import { createHash } from "node:crypto";
import { blocks, blockUnits, nextCut } from "../data/cut.ts";
import { type Document, piecesOf } from "../data/document.ts";
import type { SplitName } from "./shard-index.ts";
import type { Spool } from "./spool.ts";

/** `auto` goes by document where at least this many documents are expected to be held out; fewer might leave none (e⁻⁴ = 2 %). */
const expectedHeldOut = 4;

/** Where the text goes; both splits take documents as begin, any number of blocks, end. */
export interface SplitSink {
  begin(split: SplitName): Promise<void>;
  write(split: SplitName, block: string, id: string): Promise<void>;
  /** The document is complete; not called for the first half of one that was cut in two. */
  end(split: SplitName): Promise<void>;
}
export type SplitMethod = "document" | "tail" | "none";

/**
 * Sends every document to a split by its content: held out where the SHA-256 of its first block, as a fraction, is below `fraction`.
 * Neither order nor names matter, equal documents stay together, and adding documents moves no others.
 */
export async function splitByDocument(documents: AsyncIterable<Document>, fraction: number, sink: SplitSink): Promise<void> {
  for await (const document of documents) {
    let split: SplitName | undefined;
    for await (const block of blocks(piecesOf(document), blockUnits)) {
      if (split === undefined) {
        split = hashFraction(block) < fraction ? "validation" : "train";
        await sink.begin(split);
      }
      await sink.write(split, block, document.id);
    }
    if (split) await sink.end(split);
  }
}

/** Uniform in [0, 1). */
function hashFraction(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Holds out the last `fraction` of all bytes, as nanoGPT does, cut at the next line end or word end; a document that is cut becomes two. */
export async function splitTail(spool: Spool, fraction: number, sink: SplitSink): Promise<void> {
  const keep = Math.round(spool.bytes * (1 - fraction));
  let passed = 0;
  for await (const document of spool.replay()) {
    let split: SplitName | undefined;
    for await (const block of blocks(piecesOf(document), blockUnits)) {
      const at = cutAt(block, keep - passed);
      passed += Buffer.byteLength(block);
      for (const [side, text] of [
        ["train", block.slice(0, at)],
        ["validation", block.slice(at)],
      ] as const) {
        if (text === "") continue;
        if (split !== side) await sink.begin(side);
        split = side;
        await sink.write(side, text, document.id);
      }
    }
    if (split) await sink.end(split);
  }
}

/** How many code units of a block stay within about `bytes` bytes. */
function cutAt(block: string, bytes: number): number {
  if (bytes <= 0) return 0;
  const encoded = Buffer.from(block);
  if (bytes >= encoded.length) return block.length;
  return nextCut(block, Math.max(1, new TextDecoder().decode(encoded.subarray(0, bytes)).length));
}

/**
 * Chooses while reading: by document once enough documents were seen, else by the tail.
 * @returns the method that was chosen.
 */
export async function splitAuto(documents: AsyncIterable<Document>, fraction: number, spool: Spool, sink: SplitSink): Promise<SplitMethod> {
  const enough = Math.ceil(expectedHeldOut / fraction);
  const iterator = documents[Symbol.asyncIterator]();
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    await spool.add(next.value);
    if (spool.count < enough) continue;
    await splitByDocument(spool.replay(), fraction, sink);
    await splitByDocument({ [Symbol.asyncIterator]: () => iterator }, fraction, sink);
    return "document";
  }
  await splitTail(spool, fraction, sink);
  return "tail";
}
