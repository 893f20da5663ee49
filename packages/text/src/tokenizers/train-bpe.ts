import { EitpError } from "@eitp/engine/error";
import { bytesInOrder, spellBytes } from "./byte-alphabet.ts";
import { countWords } from "./count-words.ts";
import { learnMerges } from "./learn-merges.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { endOfTextName } from "./tokenizer.ts";
import { trainedBpe } from "./trained-bpe.ts";
import { utf8 } from "./utf8.ts";
import { wordList } from "./word-list.ts";

/** How far {@link trainBpe} is: first it counts words (`total` unknown), then it learns merges. */
export type TrainBpeProgress =
  | { readonly phase: "count"; readonly texts: number; readonly words: number }
  | { readonly phase: "merge"; readonly vocabulary: number; readonly total: number };

/** Options of {@link trainBpe}. */
export interface TrainBpeOptions {
  /** Ids wanted: 256 bytes, the special tokens and the merges. A small text may give fewer. */
  readonly vocabularySize: number;
  /** A pair seen less often is not merged. Default 0, which means 1. */
  readonly minFrequency?: number;
  /** Take the first ids, in this order; `<|endoftext|>` among them separates documents. Default `["<|endoftext|>"]`. */
  readonly specialTokens?: readonly string[];
  /** Called some twenty times a second. */
  readonly onProgress?: (progress: TrainBpeProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Learns a byte-level BPE. Vocabulary and merges equal those of Rust `tokenizers` (`BpeTrainer` with the whole `ByteLevel.alphabet()`,
 * `ByteLevel(add_prefix_space=False)`, `train_from_iterator`) over the same texts, ties included.
 * @param texts - One text or many; words do not reach across them, so cut a corpus at line or document ends.
 * @returns A tokenizer; `endOfText` is the id of `<|endoftext|>` if that is a special token.
 * @throws EitpError "usage" for options that cannot work, "data" if there is no text, "interrupted" when the signal aborts.
 * @see Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", ACL 2016
 * @example
 * ```ts
 * const tokenizer = await trainBpe("low lower lowest", { vocabularySize: 260 });
 * tokenizer.decode(tokenizer.encode("slow")); // "slow"
 * ```
 */
export async function trainBpe(texts: string | Iterable<string> | AsyncIterable<string>, options: TrainBpeOptions): Promise<Tokenizer> {
  const { vocabularySize, minFrequency = 0, specialTokens = [endOfTextName], onProgress, signal } = options;
  checkOptions(vocabularySize, minFrequency, specialTokens);
  const pause = pacer(signal);

  const counts = new Map<string, number>();
  let read = 0;
  // A string is itself an iterable, of its characters: not what anybody means here.
  for await (const text of typeof texts === "string" ? [texts] : texts) {
    countWords(text, counts);
    read++;
    if (await pause()) onProgress?.({ phase: "count", texts: read, words: counts.size });
  }
  if (counts.size === 0) throw new EitpError("data", `trainBpe got ${read} texts without a single character; give it text to learn from.`);

  const spellings = [...specialTokens, ...bytesInOrder.map((byte) => spellBytes([byte]))];
  const byteIds = new Int32Array(256);
  for (const [at, byte] of bytesInOrder.entries()) byteIds[byte] = specialTokens.length + at;
  const learning = learnMerges({
    words: wordList(counts, utf8, byteIds),
    vocabularySize,
    minFrequency,
    spellings,
    reserved: new Set(specialTokens),
  });
  let step = learning.next();
  while (!step.done) {
    if (await pause()) onProgress?.({ phase: "merge", vocabulary: step.value, total: vocabularySize });
    step = learning.next();
  }
  onProgress?.({ phase: "merge", vocabulary: spellings.length, total: vocabularySize });
  return trainedBpe({ vocabulary: spellings, merges: step.value, specialTokens });
}

function checkOptions(vocabularySize: number, minFrequency: number, specialTokens: readonly string[]): void {
  const least = 256 + specialTokens.length;
  if (!Number.isInteger(vocabularySize) || vocabularySize < least || vocabularySize > 2 ** 22)
    throw new EitpError(
      "usage",
      `vocabularySize must be an integer from ${least} (256 bytes and ${specialTokens.length} special tokens) to ${2 ** 22}, got ${vocabularySize}.`,
    );
  if (!(minFrequency >= 0)) throw new EitpError("usage", `minFrequency must be a number ≥ 0, got ${minFrequency}.`);
  for (const [at, token] of specialTokens.entries()) {
    // One or two characters could collide with the spelling of a byte or of a merge such as "Ġt".
    if (token.length < 3)
      throw new EitpError(
        "usage",
        `Special token ${JSON.stringify(token)} is too short; expected a name of at least 3 characters such as "${endOfTextName}".`,
      );
    if (specialTokens.indexOf(token) !== at) throw new EitpError("usage", `Special token ${JSON.stringify(token)} is listed twice.`);
  }
}

const pauseEveryMs = 50;

/** Lets the event loop run now and then, as abort signals need it, and says when it did. */
function pacer(signal: AbortSignal | undefined): () => Promise<boolean> {
  let last = performance.now();
  return async () => {
    if (signal?.aborted)
      throw new EitpError("interrupted", "Tokenizer training was stopped by its abort signal; nothing was saved.", {
        cause: signal.reason,
      });
    if (performance.now() - last < pauseEveryMs) return false;
    await new Promise((resume) => setTimeout(resume, 0));
    last = performance.now();
    return true;
  };
}
