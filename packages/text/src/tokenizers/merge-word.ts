import type { PairTable } from "./pair-table.ts";
import { noRank } from "./pair-table.ts";

/** Merges the ids of one pre-token in place, lowest rank first and leftmost among equals; returns how many are left. */
export type WordMerger = (ids: Int32Array, length: number) => number;

// Below, scanning all ranks beats keeping a heap; above, it would be quadratic.
const shortWord = 64;

/** A merger with its own scratch memory; not re-entrant. */
export function wordMerger(pairs: PairTable): WordMerger {
  const ranks = new Int32Array(shortWord);
  return (ids, length) => (length <= shortWord ? mergeShort(ids, length, pairs, ranks) : mergeLong(ids, length, pairs));
}

function mergeShort(ids: Int32Array, length: number, pairs: PairTable, ranks: Int32Array): number {
  for (let at = 0; at + 1 < length; at++) ranks[at] = pairs.rank(ids[at] as number, ids[at + 1] as number);
  while (length > 1) {
    let best = noRank;
    let at = 0;
    for (let i = 0; i + 1 < length; i++) {
      const rank = ranks[i] as number;
      if (rank < best) {
        best = rank;
        at = i;
      }
    }
    if (best === noRank) break;
    const merged = pairs.result(best);
    ids[at] = merged;
    length--;
    for (let i = at + 1; i < length; i++) {
      ids[i] = ids[i + 1] as number;
      ranks[i] = ranks[i + 1] as number;
    }
    if (at > 0) ranks[at - 1] = pairs.rank(ids[at - 1] as number, merged);
    if (at + 1 < length) ranks[at] = pairs.rank(merged, ids[at + 1] as number);
  }
  return length;
}

/** O(n log n): a linked list of symbols and a heap of candidate merges, stale ones recognised when popped. */
function mergeLong(ids: Int32Array, length: number, pairs: PairTable): number {
  const next = Int32Array.from({ length }, (_, at) => at + 1);
  const previous = Int32Array.from({ length }, (_, at) => at - 1);
  const heap = new CandidateHeap();
  const rankAt = (at: number): number => {
    const right = next[at] as number;
    return right < length && (ids[at] as number) >= 0 ? pairs.rank(ids[at] as number, ids[right] as number) : noRank;
  };
  const offer = (at: number): void => {
    const rank = rankAt(at);
    if (rank !== noRank) heap.push(rank, at);
  };
  for (let at = 0; at + 1 < length; at++) offer(at);
  while (heap.size > 0) {
    const { rank, at } = heap.pop();
    if (rankAt(at) !== rank) continue;
    const gone = next[at] as number;
    const after = next[gone] as number;
    ids[at] = pairs.result(rank);
    ids[gone] = -1;
    next[at] = after;
    if (after < length) previous[after] = at;
    if ((previous[at] as number) >= 0) offer(previous[at] as number);
    offer(at);
  }
  let kept = 0;
  for (let at = 0; at < length; at = next[at] as number) ids[kept++] = ids[at] as number;
  return kept;
}

const positions = 2 ** 31;

/** Binary min-heap of (rank, position), each packed into one float64: rank < 2²², position < 2³¹. */
class CandidateHeap {
  readonly #keys: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  push(rank: number, at: number): void {
    const keys = this.#keys;
    const key = rank * positions + at;
    let hole = keys.length;
    keys.push(key);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = keys[parent] as number;
      if (above <= key) break;
      keys[hole] = above;
      hole = parent;
    }
    keys[hole] = key;
  }

  pop(): { readonly rank: number; readonly at: number } {
    const keys = this.#keys;
    const top = keys[0] as number;
    const last = keys.pop() as number;
    const size = keys.length;
    if (size > 0) {
      let hole = 0;
      for (let child = 1; child < size; child = 2 * hole + 1) {
        if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child++;
        if ((keys[child] as number) >= last) break;
        keys[hole] = keys[child] as number;
        hole = child;
      }
      keys[hole] = last;
    }
    return { rank: Math.floor(top / positions), at: top % positions };
  }
}
