import type { Counter } from "@eitp/engine/random";

/** Six rounds: two more than Luby and Rackoff (SIAM J. Comput. 17(2), 1988) need for a strong pseudorandom permutation. */
const rounds = 6;

/**
 * A keyed permutation of 0 … size − 1 that needs no table: a balanced Feistel network over the next power of four,
 * walked along its cycle until it lands inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, §3).
 * `size` is an integer from 1 to 2⁵².
 */
export function permutation(size: number, key: Counter): (index: number) => number {
  // At least 64 places: a network over two or three bits has too few different permutations.
  const half = Math.max(3, Math.ceil(Math.log2(Math.max(2, size)) / 2));
  const side = 2 ** half;
  const keys = Array.from({ length: rounds }, (_, round) => key.fold(round));
  const shuffle = (index: number): number => {
    let left = Math.floor(index / side);
    let right = index % side;
    for (const roundKey of keys) {
      const mixed = (left ^ (roundKey.bits(right) % side)) >>> 0;
      left = right;
      right = mixed;
    }
    return left * side + right;
  };
  return (index) => {
    let at = shuffle(index);
    // Ends: the cycle through `index` < size comes back to it.
    while (at >= size) at = shuffle(at);
    return at;
  };
}
