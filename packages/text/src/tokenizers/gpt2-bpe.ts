import { bytesInOrder, spellBytes } from "./byte-alphabet.ts";
import { byteBpe } from "./byte-bpe.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { endOfTextName } from "./tokenizer.ts";
import { utf8 } from "./utf8.ts";

/**
 * GPT-2's tokenizer: 50,257 ids, `<|endoftext|>` is 50256. The ranks come from the npm package `gpt-tokenizer` and are loaded
 * when first asked for; encoding is ours, because that package is quadratic in the longest word, overflows the stack on a very
 * long one, and takes U+FEFF for white space, where GPT-2 and Rust `tokenizers` do not.
 * @see Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, §2.2
 * @example
 * ```ts
 * (await gpt2Bpe()).encode("Hello world"); // Int32Array [15496, 995]
 * ```
 */
export async function gpt2Bpe(): Promise<Tokenizer> {
  const { tokens, merges } = await gpt2Merges();
  const byteIds = new Int32Array(256);
  for (const [id, byte] of bytesInOrder.entries()) byteIds[byte] = id;
  return byteBpe({
    name: "gpt2",
    tokens: [...tokens, utf8(endOfTextName)],
    byteIds,
    merges,
    special: new Set([tokens.length]),
    endOfText: tokens.length,
    file: { type: "gpt2", version: 1 },
  });
}

/** GPT-2's vocabulary without its special token. */
export interface Gpt2Merges {
  /** Bytes by id. */
  readonly tokens: readonly Uint8Array[];
  /** left, right, result; … by rank. */
  readonly merges: Int32Array;
}

/** Loads the ranks and recovers the merges from them. */
export async function gpt2Merges(): Promise<Gpt2Merges> {
  const { default: ranks } = await import("gpt-tokenizer/bpeRanks/r50k_base");
  const tokens = Array.from(ranks, (token) => (typeof token === "string" ? utf8(token) : Uint8Array.from(token)));
  return { tokens, merges: mergesFromRanks(tokens) };
}

/**
 * A rank table lists only what each merge makes; which pair makes it follows by encoding the token with the earlier merges.
 * @param tokens - Bytes by id: 256 single bytes, then one token per merge.
 * @returns left, right, result; … by rank.
 */
function mergesFromRanks(tokens: readonly Uint8Array[]): Int32Array {
  const spellings = tokens.map(spellBytes);
  const idOf = new Map(spellings.map((spelling, id) => [spelling, id]));
  const merges = new Int32Array(3 * (tokens.length - 256));
  for (let id = 256; id < tokens.length; id++) {
    const [left, right] = lastPair(spellings[id] as string, id, idOf);
    merges.set([left, right, id], 3 * (id - 256));
  }
  return merges;
}

function lastPair(spelling: string, id: number, idOf: ReadonlyMap<string, number>): readonly [number, number] {
  const parts = [...spelling];
  while (parts.length > 2) {
    let best = id;
    let at = 0;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = idOf.get(`${parts[i]}${parts[i + 1]}`) ?? id;
      if (rank < best) {
        best = rank;
        at = i;
      }
    }
    parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
  }
  return [idOf.get(parts[0] as string) as number, idOf.get(parts[1] as string) as number];
}
