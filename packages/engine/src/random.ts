/**
 * Counter-based random numbers: the same (seed, purposes, counter) gives the same bits for ever, on every machine, in any order.
 * There is no stream position, so nothing has to be saved to resume. Free of tensors, so that data loaders can use it too.
 *
 * The generator is Threefry-2x32 with 20 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, §3).
 */

const rotations: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24];
const parity = 0x1bd11bda;

/** One Threefry-2x32-20 block: 64 random bits from a 64-bit key and a 64-bit counter, all as uint32 pairs. */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number): readonly [number, number] {
  const key2 = parity ^ key0 ^ key1;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let round = 0; round < 20; round++) {
    const r = rotations[round & 7] as number;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if ((round & 3) === 3) {
      const s = (round >> 2) + 1;
      const a = s % 3 === 0 ? key0 : s % 3 === 1 ? key1 : key2;
      const b = (s + 1) % 3 === 0 ? key0 : (s + 1) % 3 === 1 ? key1 : key2;
      x0 = (x0 + a) | 0;
      x1 = (x1 + b + s) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A pure source of random numbers, addressed by purpose and counter. */
export interface Counter {
  /** An independent source for `purpose`; numbers must be integers ≥ 0 and name a step, a micro-batch or an index. */
  fold(purpose: string | number): Counter;
  /** 32 uniform bits. */
  bits(counter: number): number;
  /** Uniform in [0, 1) with 53 bits. */
  uniform(counter: number): number;
  /** Standard normal (Box–Muller, one per counter), float64. */
  gaussian(counter: number): number;
}

/** The root of all randomness of a run. `seed` is an integer from 0 to 2⁵³ − 1. */
export function counter(seed: number): Counter {
  return fromKey(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
}

function fromKey(key0: number, key1: number): Counter {
  // The low three bits of the second counter word are a lane: 0–2 give numbers, 3 and 7 derive keys, so a folded source never repeats its parent's bits.
  const block = (at: number, lane: number): readonly [number, number] => threefry2x32(key0, key1, at >>> 0, (highWord(at) << 3) | lane);
  const unit = (at: number, lane: number): number => {
    const [high, low] = block(at, lane);
    return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
  };
  return {
    fold: (purpose) => {
      const [low, high] =
        typeof purpose === "string" ? [hash(purpose), (purpose.length << 3) | 7] : [purpose >>> 0, (highWord(purpose) << 3) | 3];
      return fromKey(...threefry2x32(key0, key1, low, high));
    },
    bits: (at) => block(at, 0)[0],
    uniform: (at) => unit(at, 0),
    gaussian: (at) => Math.sqrt(-2 * Math.log1p(-unit(at, 1))) * Math.cos(2 * Math.PI * unit(at, 2)),
  };
}
const highWord = (x: number): number => Math.floor(x / 2 ** 32) >>> 0;
