import { EitpError } from "@eitp/engine/error";
import { readSpelling } from "./byte-alphabet.ts";
import { byteBpe } from "./byte-bpe.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { endOfTextName } from "./tokenizer.ts";
import { utf8 } from "./utf8.ts";

/** A byte-level BPE as data. */
export interface TrainedBpe {
  /** Byte-level spelling by id, special tokens by name. */
  readonly vocabulary: readonly string[];
  /** left, right, result; … by rank. */
  readonly merges: Int32Array;
  readonly specialTokens: readonly string[];
}

/** The tokenizer of a trained vocabulary. Throws EitpError "data" if a token is not spelt in bytes or a byte has no token. */
export function trainedBpe({ vocabulary, merges, specialTokens }: TrainedBpe): Tokenizer {
  const idOf = new Map(vocabulary.map((spelling, id) => [spelling, id]));
  if (idOf.size !== vocabulary.length)
    throw new EitpError(
      "data",
      `The vocabulary spells ${vocabulary.length - idOf.size} of its ${vocabulary.length} tokens twice; expected every spelling once.`,
    );
  const special = new Set(specialTokens.map((token) => known(token, idOf)));
  const tokens = vocabulary.map((spelling, id) => {
    const bytes = special.has(id) ? utf8(spelling) : readSpelling(spelling);
    if (bytes === null || bytes.length === 0)
      throw new EitpError(
        "data",
        `Token ${id} ${JSON.stringify(spelling)} is not a byte-level spelling; expected characters of GPT-2's byte alphabet.`,
      );
    return bytes;
  });
  const byteIds = new Int32Array(256).fill(-1);
  for (const [id, bytes] of tokens.entries()) if (bytes.length === 1 && !special.has(id)) byteIds[bytes[0] as number] = id;
  const missing = byteIds.indexOf(-1);
  if (missing >= 0) throw new EitpError("data", `The vocabulary has no token for byte ${missing}; a byte-level BPE needs all 256.`);
  for (let at = 2; at < merges.length; at += 3)
    if (special.has(merges[at] as number))
      throw new EitpError(
        "data",
        `Merge ${(at - 2) / 3} makes the special token ${JSON.stringify(vocabulary[merges[at] as number])}; the tokenizer file is damaged.`,
      );
  const spelled = (id: number | undefined): string => vocabulary[id as number] as string;
  return byteBpe({
    name: "bpe",
    tokens,
    byteIds,
    merges,
    special,
    endOfText: specialTokens.includes(endOfTextName) ? known(endOfTextName, idOf) : null,
    file: {
      type: "bpe",
      version: 1,
      vocabulary: [...vocabulary],
      merges: Array.from({ length: merges.length / 3 }, (_, rank) => `${spelled(merges[3 * rank])} ${spelled(merges[3 * rank + 1])}`),
      specialTokens: [...specialTokens],
    },
  });
}

/** Reads merges written as "left right" against a vocabulary. Throws EitpError "data" naming the line that does not fit. */
export function readMerges(lines: readonly string[], vocabulary: readonly string[]): Int32Array {
  const idOf = new Map(vocabulary.map((spelling, id) => [spelling, id]));
  const merges = new Int32Array(3 * lines.length);
  for (const [rank, line] of lines.entries()) {
    const [left, right, ...rest] = line.split(" ");
    if (!left || !right || rest.length > 0)
      throw new EitpError("data", `Merge ${rank} is ${JSON.stringify(line)}; expected two spellings with a space between.`);
    merges.set([known(left, idOf), known(right, idOf), known(left + right, idOf)], 3 * rank);
  }
  return merges;
}

function known(spelling: string, idOf: ReadonlyMap<string, number>): number {
  const id = idOf.get(spelling);
  if (id === undefined)
    throw new EitpError(
      "data",
      `Token ${JSON.stringify(spelling)} is missing from the vocabulary of ${idOf.size}; the tokenizer file is damaged or mixed from two.`,
    );
  return id;
}
