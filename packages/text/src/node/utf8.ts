/** A sequence of bytes that is no UTF-8: where it starts, and how many bytes one U+FFFD stands for. */
export interface BadSequence {
  readonly at: number;
  readonly length: number;
  /** The bytes end here but are right so far: more may complete them. */
  readonly incomplete: boolean;
}

/**
 * The first ill-formed sequence from `from` on, or undefined. Well-formed sequences are those of table 3-7 of the Unicode Standard 16, §3.9:
 * no overlong forms, no surrogates, nothing beyond U+10FFFF. Lengths are maximal subparts, as in the WHATWG decoder.
 */
export function badSequence(bytes: Uint8Array, from = 0): BadSequence | undefined {
  let at = from;
  while (at < bytes.length) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size === 0) return { at, length: 1, incomplete: false };
    let [low, high] = secondByte(lead);
    for (let i = 1; i < size; i++) {
      const next = bytes[at + i];
      if (next === undefined) return { at, length: i, incomplete: true };
      if (next < low || next > high) return { at, length: i, incomplete: false };
      [low, high] = [0x80, 0xbf];
    }
    at += size;
  }
  return undefined;
}

/** The second byte decides between overlong, surrogate, too large and well-formed. */
function secondByte(lead: number): [number, number] {
  if (lead === 0xe0) return [0xa0, 0xbf];
  if (lead === 0xed) return [0x80, 0x9f];
  if (lead === 0xf0) return [0x90, 0xbf];
  if (lead === 0xf4) return [0x80, 0x8f];
  return [0x80, 0xbf];
}
