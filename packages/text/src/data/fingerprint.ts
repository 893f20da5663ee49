/** A 64-bit FNV-1a style hash of tokens as 16 hex digits: tells contents apart, synchronously and in a browser; no protection against forgery. */
export function hashTokens(tokens: Int32Array): string {
  // Two 32-bit lanes with different bases and multipliers: JavaScript has no fast 64-bit product.
  let a = 0x811c9dc5 ^ tokens.length;
  let b = 0x9e3779b9;
  for (const token of tokens) {
    a = Math.imul(a ^ token, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ token, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return hex(a) + hex(b);
}
const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
