/** Every distinct word as ids, in one flat array. */
export interface WordList {
  readonly ids: Int32Array;
  /** Where word i begins in `ids`. */
  readonly starts: Int32Array;
  /** How many ids word i has now; merging shortens it in place. */
  readonly lengths: Int32Array;
  /** How often word i occurs. */
  readonly counts: Float64Array;
}

/** Receives each pair that a merge changed, and by how much (±1) per occurrence of the word. */
export type PairChange = (left: number, right: number, change: 1 | -1) => void;

/** Lays words out as byte ids. */
export function wordList(counts: ReadonlyMap<string, number>, toBytes: (word: string) => Uint8Array, byteIds: Int32Array): WordList {
  const encoded = Array.from(counts.keys(), toBytes);
  const ids = new Int32Array(encoded.reduce((sum, bytes) => sum + bytes.length, 0));
  const starts = new Int32Array(encoded.length);
  let at = 0;
  for (const [word, bytes] of encoded.entries()) {
    starts[word] = at;
    for (const byte of bytes) ids[at++] = byteIds[byte] as number;
  }
  return { ids, starts, lengths: Int32Array.from(encoded, (bytes) => bytes.length), counts: Float64Array.from(counts.values()) };
}

/** Replaces every `left right` in one word by `merged`, left to right, and reports the pairs that vanish and appear beside it. */
export function mergeInWord(words: WordList, word: number, left: number, right: number, merged: number, changed: PairChange): void {
  const { ids } = words;
  const start = words.starts[word] as number;
  const end = start + (words.lengths[word] as number);
  let write = start;
  for (let read = start; read < end; ) {
    const id = ids[read] as number;
    if (id !== left || read + 1 >= end || ids[read + 1] !== right) {
      ids[write++] = id;
      read++;
      continue;
    }
    if (write > start) {
      const before = ids[write - 1] as number;
      changed(before, left, -1);
      changed(before, merged, 1);
    }
    if (read + 2 < end) {
      const after = ids[read + 2] as number;
      changed(right, after, -1);
      changed(merged, after, 1);
    }
    ids[write++] = merged;
    read += 2;
  }
  words.lengths[word] = write - start;
}
