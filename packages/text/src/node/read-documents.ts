import { EitpError } from "@eitp/engine/error";
import type { Document } from "../data/document.ts";
import { bytesOf, nameOf } from "./bytes-of.ts";
import { type DecodeOptions, decodeText } from "./decode-text.ts";
import { type Format, type InputFile, inputFiles } from "./inputs.ts";
import { jsonlDocuments } from "./jsonl.ts";
import { parquetDocuments } from "./parquet.ts";

/** Options of {@link readDocuments}. */
export interface ReadOptions {
  /** Field of JSON Lines, or column of Parquet, that holds the text; default "text". */
  readonly field?: string;
  /** Replace what is no valid UTF-8 by U+FFFD instead of refusing it; default false. */
  readonly replaceInvalid?: boolean;
  /** Told how many sequences were replaced in an input, after it was read. */
  readonly onReplaced?: (name: string, count: number) => void;
  /** How to read the inputs whatever their names say, for instance JSON Lines from standard input. */
  readonly format?: Format;
  /** What "-" reads; default `process.stdin`. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/**
 * The documents of files, folders (searched for .txt, .md, .jsonl, .jsonl.gz and .parquet at any depth), globs and "-" (standard input), in a fixed order.
 * A text file is one document, however large: it comes in pieces of about 256 KiB. JSON Lines and Parquet hold one document per line or row.
 * @throws EitpError "data" for everything that is missing, unreadable, empty, binary, no UTF-8 or of the wrong form, with file, line or byte offset.
 * @example
 * ```ts
 * for await (const { id, text } of readDocuments(["corpus/", "more/*.jsonl.gz"], { field: "content" })) …
 * ```
 */
export async function* readDocuments(inputs: readonly string[], options: ReadOptions = {}): AsyncGenerator<Document> {
  for (const input of await inputFiles(inputs, options.format)) yield* documentsOf(input, options);
}

function documentsOf(input: InputFile, options: ReadOptions): AsyncIterable<Document> {
  const { field = "text", replaceInvalid = false, onReplaced, stdin = process.stdin } = options;
  const decode: DecodeOptions = { replaceInvalid, ...(onReplaced && { onReplaced }) };
  const name = nameOf(input);
  if (input.format === "parquet") {
    if (input.path === "-" || input.gzip)
      throw new EitpError("usage", `Parquet cannot be read from ${name}: it is read from its end. Save it as a .parquet file.`);
    return parquetDocuments(input.path, { column: field, ...decode });
  }
  const pieces = decodeText(bytesOf(input, stdin), name, decode);
  if (input.format === "jsonl")
    return jsonlDocuments(pieces, name, field, replaceInvalid ? (count) => onReplaced?.(name, count) : undefined);
  return one({ id: input.path, text: pieces });
}

async function* one(document: Document): AsyncGenerator<Document> {
  yield document;
}
