/**
 * GPT-2's spelling of bytes as printable characters: a byte that prints as itself keeps its character, the other 68
 * become U+0100, U+0101, … in order. vocab.json, merges.txt and tokenizer.json are written in it.
 */
const printable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

const characterOf: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();
const byteOf: ReadonlyMap<string, number> = new Map(characterOf.map((character, byte) => [character, byte]));

/** The 256 bytes in the order of their spelling, which is the order of ids 0–255 in GPT-2 and in trained vocabularies. */
export const bytesInOrder: readonly number[] = [...characterOf.keys()].sort((a, b) => spell(a).charCodeAt(0) - spell(b).charCodeAt(0));

function spell(byte: number): string {
  return characterOf[byte] as string;
}

/** Byte-level spelling: " t" is "Ġt". */
export function spellBytes(bytes: Iterable<number>): string {
  let spelling = "";
  for (const byte of bytes) spelling += spell(byte);
  return spelling;
}

/** The bytes of a byte-level spelling, or `null` if a character is not in the alphabet. */
export function readSpelling(spelling: string): Uint8Array | null {
  const bytes = new Uint8Array(spelling.length);
  for (let at = 0; at < spelling.length; at++) {
    const byte = byteOf.get(spelling.charAt(at));
    if (byte === undefined) return null;
    bytes[at] = byte;
  }
  return bytes;
}
