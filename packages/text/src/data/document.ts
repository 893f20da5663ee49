/**
 * One document of a corpus. A long text comes as a stream of pieces that never split a code point; such a stream is read once,
 * before the next document is asked for.
 */
export interface Document {
  /** Where it comes from, for messages: a path, `path:line` or `path:row`. */
  readonly id: string;
  readonly text: string | AsyncIterable<string>;
}

/** The text of a document as pieces, whichever form it has. */
export async function* piecesOf(document: Document): AsyncGenerator<string> {
  if (typeof document.text === "string") yield document.text;
  else yield* document.text;
}
