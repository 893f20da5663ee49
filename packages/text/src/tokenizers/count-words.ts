import { preTokenEnd } from "./pre-tokens.ts";
import { fromUtf8, utf8 } from "./utf8.ts";

/**
 * Adds the pre-tokens of `text` to `counts`. Keys are copies: V8 would otherwise keep the text alive as long as a word of it,
 * and training reads corpora larger than memory.
 */
export function countWords(text: string, counts: Map<string, number>): void {
  for (let at = 0; at < text.length; ) {
    const end = preTokenEnd(text, at);
    const word = text.slice(at, end);
    at = end;
    const count = counts.get(word);
    if (count !== undefined) counts.set(word, count + 1);
    else {
      const copy = fromUtf8(utf8(word));
      counts.set(copy, (counts.get(copy) ?? 0) + 1);
    }
  }
}
