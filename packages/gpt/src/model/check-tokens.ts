import { EitpError } from "@eitp/engine";

/**
 * Host-side check of token ids before they reach the device, where a bad id reads foreign memory or zeros without a word.
 * @param tokens ids in row-major order.
 * @param options.ignore one id outside the range that is allowed, such as −1 for targets.
 * @throws EitpError "data" naming the first bad id and its position.
 * @example
 * ```ts
 * checkTokens(Int32Array.of(3, 99), 97); // throws: token 99 at position 1 …
 * ```
 */
export function checkTokens(tokens: Int32Array, vocabulary: number, options: { readonly ignore?: number } = {}): void {
  for (const [position, token] of tokens.entries()) {
    if ((token < 0 || token >= vocabulary) && token !== options.ignore) {
      throw new EitpError(
        "data",
        `token ${token} at position ${position} is outside the vocabulary: expected 0 to ${vocabulary - 1}. ` +
          "Was the text encoded with another tokenizer?",
      );
    }
  }
}
