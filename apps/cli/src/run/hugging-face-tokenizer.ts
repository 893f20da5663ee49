import { EitpError } from "@eitp/engine/error";
import { fromTokenizerJson, type Tokenizer, tokenizerFrom } from "@eitp/text";

/** The tokenizer of a Hugging Face folder, from `tokenizer.json` or the older pair `vocab.json` and `merges.txt`; null where there is none. */
export async function huggingFaceTokenizer(files: { readonly [name: string]: Uint8Array }): Promise<Tokenizer | null> {
  const text = (name: string): string | undefined => {
    const bytes = files[name];
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  const single = text("tokenizer.json");
  if (single !== undefined) return fromTokenizerJson(single, text("tokenizer_config.json") ?? {});
  const vocab = text("vocab.json");
  const merges = text("merges.txt");
  if (vocab === undefined || merges === undefined) return null;
  const ids = parseVocabulary(vocab);
  return tokenizerFrom({
    type: "bpe",
    version: 1,
    vocabulary: [...ids].sort(([, a], [, b]) => a - b).map(([spelling]) => spelling),
    merges: merges.split("\n").filter((line) => line !== "" && !line.startsWith("#version")),
    // Byte-level spellings have no ASCII control or bracket names of this form; GPT-2 has one special token.
    specialTokens: [...ids.keys()].filter((spelling) => /^<\|.+\|>$/.test(spelling)),
  });
}

function parseVocabulary(text: string): ReadonlyMap<string, number> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EitpError("data", "vocab.json is not JSON; it is damaged. Copy the folder again.", { cause });
  }
  if (typeof value !== "object" || value === null) throw new EitpError("data", "vocab.json holds no object of spellings and ids.");
  return new Map(
    Object.entries(value).map(([spelling, id]) => {
      if (typeof id === "number") return [spelling, id];
      throw new EitpError("data", `vocab.json gives ${JSON.stringify(spelling)} the id ${JSON.stringify(id)}; expected a number.`);
    }),
  );
}
