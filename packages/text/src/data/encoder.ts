/** What data sets need of a tokenizer; every tokenizer of this package is one. */
export interface Encoder {
  /** Ids are integers from 0 to `vocabularySize − 1`. */
  readonly vocabularySize: number;
  /** The id that ends a document, or null where the vocabulary has none. */
  readonly endOfText: number | null;
  /** The ids of a text, in order. */
  encode(text: string): Int32Array;
}
