import { blocks, blockUnits } from "./cut.ts";
import { type Document, piecesOf } from "./document.ts";

/**
 * The text of all documents in blocks of at most 64 KiB characters, cut where no word is cut: what a tokenizer is trained on,
 * however large the documents are.
 * @example
 * ```ts
 * const tokenizer = await trainBpe(textBlocks(readDocuments(["corpus/"])), { vocabularySize: 4096 });
 * ```
 */
export async function* textBlocks(documents: AsyncIterable<Document> | Iterable<Document>): AsyncGenerator<string> {
  for await (const document of documents) yield* blocks(piecesOf(document), blockUnits);
}
