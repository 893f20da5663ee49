/**
 * GPT-2's pre-tokenisation, `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, as a scanner.
 *
 * Not a JavaScript RegExp, for two reasons: its `\s` counts U+FEFF and misses U+0085, unlike the engine of the Rust
 * `tokenizers`, and its backtracking stack overflows on a run of some million letters.
 */

const letter = 1;
const number = 2;
const space = 3;
const other = 4;

// Filled on demand, 0 = not asked yet: most texts touch a few hundred of the 1.1 million code points.
const classes = new Uint8Array(0x110000);

function classify(point: number): number {
  const character = String.fromCodePoint(point);
  const found = /\p{L}/u.test(character) ? letter : /\p{N}/u.test(character) ? number : /\p{White_Space}/u.test(character) ? space : other;
  classes[point] = found;
  return found;
}

const classOf = (point: number): number => (classes[point] as number) || classify(point);

/** End of the run of code points of class `kind` that starts at `at`. */
function runEnd(text: string, at: number, kind: number): number {
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    const point = unit >= 0xd800 && unit < 0xdc00 ? (text.codePointAt(at) as number) : unit;
    if (classOf(point) !== kind) return at;
    at += point > 0xffff ? 2 : 1;
  }
  return at;
}

/** Length of 's, 't, 'm, 'd, 're, 've or 'll at `at`, else 0. Lower case only, as in GPT-2. */
function contraction(text: string, at: number): number {
  const next = text.charAt(at + 1);
  if (next === "s" || next === "t" || next === "m" || next === "d") return 2;
  const pair = next + text.charAt(at + 2);
  return pair === "re" || pair === "ve" || pair === "ll" ? 3 : 0;
}

/** Where the pre-token that starts at UTF-16 index `at` < `text.length` ends. */
export function preTokenEnd(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit === 0x27) {
    const length = contraction(text, at);
    if (length > 0) return at + length;
  }
  const first = classOf(text.codePointAt(at) as number);
  if (first !== space) return runEnd(text, at, first);
  if (unit === 0x20 && at + 1 < text.length) {
    const second = classOf(text.codePointAt(at + 1) as number);
    if (second !== space) return runEnd(text, at + 1, second);
  }
  const end = runEnd(text, at, space);
  // Before a word the last white space stays behind, to become its leading space.
  return end < text.length && end - at > 1 ? end - 1 : end;
}
