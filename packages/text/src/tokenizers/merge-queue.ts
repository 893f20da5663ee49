/** A pair that may be merged next, with its count when queued and the words it was seen in. */
export interface Candidate {
  readonly left: number;
  readonly right: number;
  count: number;
  readonly words: readonly number[];
}

/** Whether `a` is merged before `b`: higher count first, then the smaller pair of ids. The order of Rust `tokenizers`. */
function precedes(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.left !== b.left ? a.left < b.left : a.right < b.right;
}

/** Binary heap of candidates. Counts go stale inside; the trainer corrects a candidate when it comes up, and pushes it back. */
export class MergeQueue {
  readonly #heap: Candidate[] = [];

  push(candidate: Candidate): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push(candidate);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent] as Candidate;
      if (!precedes(candidate, above)) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = candidate;
  }

  /** The first candidate, or `undefined` from an empty queue. */
  pop(): Candidate | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let hole = 0;
    for (let child = 1; child < heap.length; child = 2 * hole + 1) {
      const right = heap[child + 1];
      if (right !== undefined && precedes(right, heap[child] as Candidate)) child++;
      const best = heap[child] as Candidate;
      if (!precedes(best, last)) break;
      heap[hole] = best;
      hole = child;
    }
    heap[hole] = last;
    return top;
  }
}
