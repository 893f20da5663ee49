import type { Dataset } from "@eitp/core/spec";
import { encodeDocuments } from "./encode-documents.ts";
import type { Encoder } from "./encoder.ts";
import { type TextCursor, type TextDatasetOptions, textDataset } from "./text-dataset.ts";
import { memoryTokens } from "./token-source.ts";

/**
 * A data set straight from text in memory, for a browser tab, a test or an example: a string is one document, a list is several.
 * @throws EitpError as `textDataset` does, and "data" where the tokenizer cannot express the text.
 * @example
 * ```ts
 * const data = datasetFromText(book, bytes(), { shape: { sequences: 8, length: 64 } });
 * ```
 */
export function datasetFromText(
  text: string | readonly string[],
  tokenizer: Encoder,
  options: Omit<TextDatasetOptions, "tokens">,
): Dataset<TextCursor> {
  const { tokens, starts } = encodeDocuments(typeof text === "string" ? [text] : text, tokenizer);
  return textDataset({ ...options, tokens: memoryTokens(tokens, starts) });
}
