/** What is tokenised at a time, in UTF-16 code units: large against a token, small against any memory. */
export const blockUnits: number = 64 * 1024;

/**
 * Cuts a stream of pieces into blocks of about `size` UTF-16 code units, at places where no pre-tokenizer of the GPT family joins the two
 * sides, so that encoding block by block gives the ids of the whole text. No block is empty, none splits a code point.
 */
export async function* blocks(pieces: AsyncIterable<string> | Iterable<string>, size: number): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    rest += piece;
    // Only beyond `size`: a cut needs to see the character after it.
    while (rest.length > size) {
      const at = lastCut(rest, Math.floor(size / 2), size);
      yield rest.slice(0, at);
      rest = rest.slice(at);
    }
  }
  if (rest.length > 0) yield rest;
}

/** The best cut in (from, to]: the last safe line end, else the last safe space, else the last code point boundary. */
function lastCut(text: string, from: number, to: number): number {
  for (let at = to; at > from; at--) if (isLineEnd(text, at)) return at;
  for (let at = to; at > from; at--) if (isWordEnd(text, at)) return at;
  return boundary(text, to);
}

/** How far a cut may move to find a line end or a word end, in code units. */
const reach = 4096;

/** The first safe cut from `from` on, or the next code point boundary where none is near. */
export function nextCut(text: string, from: number): number {
  const to = Math.min(text.length, from + reach);
  for (let at = from; at < to; at++) if (isLineEnd(text, at)) return at;
  for (let at = from; at < to; at++) if (isWordEnd(text, at)) return at;
  return boundary(text, from);
}

/** Between a single newline and the next line: "a\n" | "b". Runs of white space and "\r\n" are one token to many tokenizers, so those are not cut. */
function isLineEnd(text: string, at: number): boolean {
  return text[at - 1] === "\n" && isInk(text, at) && isInk(text, at - 2);
}
/** Before a single space, which belongs to the word after it: "a" | " b". */
function isWordEnd(text: string, at: number): boolean {
  return text[at] === " " && isInk(text, at - 1) && isInk(text, at + 1);
}
function isInk(text: string, at: number): boolean {
  return at >= 0 && at < text.length && !/\s/.test(text.charAt(at));
}
/** `at`, or one later where that would split a surrogate pair. */
function boundary(text: string, at: number): number {
  const low = text.charCodeAt(at);
  const high = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low < 0xe000 && high >= 0xd800 && high < 0xdc00 ? at + 1 : at;
}
