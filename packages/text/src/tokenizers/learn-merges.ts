import { assert, EitpError } from "@eitp/engine/error";
import type { Candidate } from "./merge-queue.ts";
import { MergeQueue } from "./merge-queue.ts";
import type { WordList } from "./word-list.ts";
import { mergeInWord } from "./word-list.ts";

/** Ids have fewer than 26 bits, so that a pair is an exact float64 key. */
const idLimit = 2 ** 26;
const pairKey = (left: number, right: number): number => left * idLimit + right;

/** What {@link learnMerges} is told. */
export interface LearnOptions {
  readonly words: WordList;
  readonly vocabularySize: number;
  readonly minFrequency: number;
  /** Spelling of each id so far; grows by one per merge. */
  readonly spellings: string[];
  /** Names that no merge may spell: the special tokens. */
  readonly reserved: ReadonlySet<string>;
}

/**
 * The merge loop of byte-pair encoding: the most frequent pair becomes a token, counts are corrected around it, and so on.
 * Yields the size of the vocabulary after each merge, so that the caller can pause, report and stop.
 *
 * Ties, stale counts and the order of corrections are those of Rust `tokenizers` (`BpeTrainer::do_train`), so the merges are too.
 * No string can be learnt from two pairs: where the parts of the second stand side by side, the first had merged before.
 * @returns left, right, result; … by rank.
 * @throws EitpError "usage" when a merge spells a reserved name.
 */
export function* learnMerges({ words, vocabularySize, minFrequency, spellings, reserved }: LearnOptions): Generator<number, Int32Array> {
  const counts = new Map<number, number>();
  const queue = new MergeQueue();
  let fresh = new Map<number, number[]>();

  const see = (left: number, right: number, word: number, change: number): void => {
    const key = pairKey(left, right);
    counts.set(key, (counts.get(key) ?? 0) + change * (words.counts[word] as number));
    if (change < 0) return;
    const seenIn = fresh.get(key);
    if (seenIn === undefined) fresh.set(key, [word]);
    else if (seenIn[seenIn.length - 1] !== word) seenIn.push(word);
  };
  const enqueue = (): void => {
    for (const [key, seenIn] of fresh) {
      const count = counts.get(key) as number;
      if (count > 0) queue.push({ left: Math.floor(key / idLimit), right: key % idLimit, count, words: seenIn });
    }
    fresh = new Map();
  };

  for (let word = 0; word < words.lengths.length; word++) {
    const start = words.starts[word] as number;
    const end = start + (words.lengths[word] as number);
    for (let at = start; at + 1 < end; at++) see(words.ids[at] as number, words.ids[at + 1] as number, word, 1);
  }
  enqueue();

  const merges: number[] = [];
  while (spellings.length < vocabularySize) {
    const next = popCurrent(queue, counts);
    if (next === undefined || next.count < 1 || next.count < minFrequency) break;
    const { left, right } = next;
    const spelling = `${spellings[left]}${spellings[right]}`;
    if (reserved.has(spelling))
      throw new EitpError(
        "usage",
        `Special token ${JSON.stringify(spelling)} is also learnt from the text; give it a name that no word has, such as "<|pad|>".`,
      );
    const merged = spellings.length;
    spellings.push(spelling);
    merges.push(left, right, merged);
    for (const word of next.words) mergeInWord(words, word, left, right, merged, (a, b, change) => see(a, b, word, change));
    enqueue();
    yield spellings.length;
  }
  return Int32Array.from(merges);
}

/** The first candidate whose count is up to date. */
function popCurrent(queue: MergeQueue, counts: ReadonlyMap<number, number>): Candidate | undefined {
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const count = counts.get(pairKey(top.left, top.right));
    assert(count !== undefined, `pair ${top.left} ${top.right} was queued without a count`);
    if (count === top.count) return top;
    top.count = count;
    queue.push(top);
  }
  return undefined;
}
