import { EitpError } from "@eitp/engine/error";
import { spellBytes } from "./byte-alphabet.ts";
import { gpt2Merges } from "./gpt2-bpe.ts";
import type { Tokenizer, TokenizerFile } from "./tokenizer.ts";
import { endOfTextName } from "./tokenizer.ts";

/** Names and contents of the tokenizer files in a Hugging Face model folder. */
export type HuggingFaceFiles = Readonly<Record<string, string>>;

interface Vocabulary {
  readonly spellings: readonly string[];
  readonly merges: readonly string[];
  readonly special: readonly string[];
}

/**
 * Writes a tokenizer as `tokenizer.json`, `tokenizer_config.json`, `vocab.json` and `merges.txt`, from which Python's `transformers`
 * and `tokenizers` give the same ids. One difference is theirs: they read the name of a special token inside a text as that token.
 * @returns File contents by name; a tokenizer made by `fromTokenizerJson` gives back its own two files.
 * @throws EitpError "usage" for `characters`, whose refusal of unknown characters that format cannot express.
 */
export async function toHuggingFace(tokenizer: Tokenizer): Promise<HuggingFaceFiles> {
  const file = tokenizer.save();
  if (file.type === "tokenizer.json") return { "tokenizer.json": text(file.tokenizer), "tokenizer_config.json": text(file.config) };
  const { spellings, merges, special } = await vocabularyOf(file);
  const vocab = Object.fromEntries(spellings.map((spelling, id) => [spelling, id]));
  return {
    "tokenizer.json": text({
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: special.map((content) => addedToken(content, vocab[content] as number)),
      normalizer: null,
      pre_tokenizer: byteLevel(false, true),
      post_processor: byteLevel(true, false),
      decoder: byteLevel(true, true),
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab,
        merges: merges.map((merge) => merge.split(" ")),
      },
    }),
    "tokenizer_config.json": text({
      tokenizer_class: "PreTrainedTokenizerFast",
      clean_up_tokenization_spaces: false,
      add_prefix_space: false,
      ...(special.includes(endOfTextName) ? { eos_token: endOfTextName } : {}),
    }),
    "vocab.json": text(vocab),
    "merges.txt": `${["#version: 0.2", ...merges].join("\n")}\n`,
  };
}

async function vocabularyOf(file: Exclude<TokenizerFile, { type: "tokenizer.json" }>): Promise<Vocabulary> {
  switch (file.type) {
    case "bytes": {
      const special = file.endOfText ? [endOfTextName] : [];
      return { spellings: [...Array.from({ length: 256 }, (_, byte) => spellBytes([byte])), ...special], merges: [], special };
    }
    case "bpe":
      return { spellings: file.vocabulary, merges: file.merges, special: file.specialTokens };
    case "gpt2":
      return gpt2Vocabulary();
    case "characters":
      throw new EitpError(
        "usage",
        "A character tokenizer has no Hugging Face form: tokenizer.json would drop unknown characters silently. Train with bytes() or a BPE to export a model.",
      );
  }
}

async function gpt2Vocabulary(): Promise<Vocabulary> {
  const { tokens, merges } = await gpt2Merges();
  const spellings = tokens.map(spellBytes);
  const pairs = Array.from(
    { length: merges.length / 3 },
    (_, rank) => `${spellings[merges[3 * rank] as number]} ${spellings[merges[3 * rank + 1] as number]}`,
  );
  return { spellings: [...spellings, endOfTextName], merges: pairs, special: [endOfTextName] };
}

/** As in GPT-2's own file. Ids depend on the pre-tokenizer's `add_prefix_space` alone; the rest concerns character offsets. */
function byteLevel(addPrefixSpace: boolean, trimOffsets: boolean): object {
  return { type: "ByteLevel", add_prefix_space: addPrefixSpace, trim_offsets: trimOffsets, use_regex: true };
}

function addedToken(content: string, id: number): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

function text(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
