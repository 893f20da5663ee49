import { EitpError } from "@eitp/engine/error";
import { hashTokens } from "./fingerprint.ts";

/** A long sequence of token ids that is read in stretches; the documents stand one after the other. */
export interface TokenSource {
  /** Number of tokens. */
  readonly length: number;
  /** Identity of the content. */
  readonly fingerprint: string;
  /** Tokens `from` to `from + count − 1`, int32; the caller may keep and change the array. */
  read(from: number, count: number): Promise<Int32Array> | Int32Array;
  /** Ascending positions p with `from ≤ p < to` at which a document starts. Absent where documents are not known. */
  startsIn?(from: number, to: number): readonly number[];
}

/** Tokens in memory. `starts` are the ascending positions at which documents start. */
export function memoryTokens(tokens: Int32Array, starts: readonly number[] = [0]): TokenSource {
  const ofStarts = starts.length === 1 && starts[0] === 0 ? "" : `+${hashTokens(Int32Array.from(starts))}`;
  return {
    length: tokens.length,
    fingerprint: `fnv:${hashTokens(tokens)}${ofStarts}`,
    read: (from, count) => {
      checkRange(from, count, tokens.length);
      return tokens.slice(from, from + count);
    },
    startsIn: (from, to) => ascendingIn(starts, from, to),
  };
}

/** The tokens `start` to `end − 1` of a source as a source of their own; reads nothing. */
export function sliceTokens(source: TokenSource, start: number, end: number): TokenSource {
  checkRange(start, end - start, source.length);
  const { startsIn } = source;
  return {
    length: end - start,
    fingerprint: `${source.fingerprint}[${start}:${end}]`,
    read: (from, count) => {
      checkRange(from, count, end - start);
      return source.read(start + from, count);
    },
    ...(startsIn && { startsIn: (from, to) => startsIn(start + from, start + to).map((at) => at - start) }),
  };
}

/** At most the first `count` tokens of a source, for quick trials and short evaluations. */
export function limitTokens(source: TokenSource, count: number): TokenSource {
  return count >= source.length ? source : sliceTokens(source, 0, count);
}

/** Refuses a stretch that is not inside the source. */
export function checkRange(from: number, count: number, length: number): void {
  if (Number.isInteger(from) && Number.isInteger(count) && from >= 0 && count >= 0 && from + count <= length) return;
  throw new EitpError(
    "usage",
    `Tokens ${from} to ${from + count} were asked for, but the source has ${length}. Ask for a stretch inside it.`,
  );
}

/** The members of an ascending list that lie in [from, to). */
export function ascendingIn(list: ArrayLike<number>, from: number, to: number): number[] {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  const found: number[] = [];
  for (let i = low; i < list.length && (list[i] as number) < to; i++) found.push(list[i] as number);
  return found;
}
