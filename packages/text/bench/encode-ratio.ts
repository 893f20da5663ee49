import { counter } from "@eitp/engine/random";
import { encode } from "gpt-tokenizer/encoding/gpt2";
import { gpt2Bpe } from "../src/tokenizers/gpt2-bpe.ts";

/** Milliseconds of each round and what they say. */
export interface EncodeComparison {
  readonly oursMs: readonly number[];
  readonly theirsMs: readonly number[];
  /** Median over the rounds of their time by ours: above 1 we are faster. */
  readonly medianRatio: number;
  /** Fastest round of each: steadier on a busy machine. */
  readonly minimumRatio: number;
}

/** Encodes `text` with `gpt2Bpe()` and with bare `gpt-tokenizer`, in turns, so that load hits both alike. */
export async function compareEncoders(text: string, rounds: number): Promise<EncodeComparison> {
  const tokenizer = await gpt2Bpe();
  const asText = { disallowedSpecial: new Set<string>() };
  const ours = (): number => time(() => tokenizer.encode(text).length);
  const theirs = (): number => time(() => encode(text, asText).length);
  ours();
  theirs();
  const oursMs: number[] = [];
  const theirsMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Alternate who goes first: the second of a pair pays for the first one's garbage.
    if (round % 2 === 0) oursMs.push(ours());
    theirsMs.push(theirs());
    if (round % 2 === 1) oursMs.push(ours());
  }
  const ratios = theirsMs.map((ms, round) => ms / (oursMs[round] as number)).sort((a, b) => a - b);
  return { oursMs, theirsMs, medianRatio: ratios[rounds >> 1] as number, minimumRatio: Math.min(...theirsMs) / Math.min(...oursMs) };
}

/** Prose-like text: common words, made-up words that no cache has seen, numbers and punctuation. Always the same for a length. */
export function sampleText(length: number): string {
  const random = counter(1);
  const common = "the of and to in that was his with for as is it on by said whale ship sea captain before would which".split(" ");
  const syllables = "ba cor den fi gul har ish jo kel lum mor nan op qui rus sel tor und vex wil".split(" ");
  const pick = (list: readonly string[], at: number): string => list[Math.floor(random.uniform(at) * list.length)] as string;
  let text = "";
  for (let at = 0; text.length < length; at += 4) {
    const kind = random.uniform(at);
    const word =
      kind < 0.7
        ? pick(common, at + 1)
        : kind < 0.95
          ? pick(syllables, at + 1) + pick(syllables, at + 2) + pick(syllables, at + 3)
          : String(at);
    text += kind < 0.05 ? `${word}.\n` : kind < 0.1 ? `${word}, ` : `${word} `;
  }
  return text;
}

function time(work: () => number): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
