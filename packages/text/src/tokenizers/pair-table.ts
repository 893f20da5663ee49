/** Merge rules in a flat open-addressing table: a pair of ids to its rank, and a rank to the merged id. */
export interface PairTable {
  /** Rank of the pair, or {@link noRank}. */
  rank(left: number, right: number): number;
  /** Id that the pair of this rank becomes. */
  result(rank: number): number;
}

/** Above every rank. */
export const noRank = 0x7fffffff;

/**
 * Builds the table. A `Map` would need keys above 2³¹, which V8 boxes; this is several times faster.
 * @param merges - left, right, result; left, right, result; … by rank. Of a repeated pair the last rank counts, as in Rust `tokenizers`.
 */
export function pairTable(merges: Int32Array): PairTable {
  const count = merges.length / 3;
  const bits = Math.max(4, Math.ceil(Math.log2(count + 1)) + 1);
  const mask = 2 ** bits - 1;
  // left, right, rank beside each other: one lookup, one cache line.
  const slots = new Int32Array(3 * (mask + 1)).fill(-1);
  const find = (left: number, right: number): number => {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    while (slots[3 * slot] !== -1 && (slots[3 * slot] !== left || slots[3 * slot + 1] !== right)) slot = (slot + 1) & mask;
    return 3 * slot;
  };
  for (let rank = 0; rank < count; rank++) {
    const left = merges[3 * rank] as number;
    const right = merges[3 * rank + 1] as number;
    slots.set([left, right, rank], find(left, right));
  }
  return {
    rank: (left, right) => {
      const slot = find(left, right);
      return slots[slot] === -1 ? noRank : (slots[slot + 2] as number);
    },
    result: (rank) => merges[3 * rank + 2] as number,
  };
}
