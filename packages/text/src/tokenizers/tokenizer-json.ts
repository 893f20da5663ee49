import { EitpError } from "@eitp/engine/error";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { readSpelling } from "./byte-alphabet.ts";
import { tokenBytes } from "./token-bytes.ts";
import type { JsonObject, StreamDecoder, Tokenizer } from "./tokenizer.ts";
import { endOfTextName, unknownId } from "./tokenizer.ts";
import { utf8, wellFormed } from "./utf8.ts";

/**
 * A Hugging Face tokenizer from the contents of its `tokenizer.json`, through `@huggingface/tokenizers`.
 *
 * As in Python, and unlike our own tokenizers, the name of an added token inside a text becomes that token; no tokens are put around
 * the text. Where the decoder is byte-level, decoding is exact, otherwise it is what the file says, which may lose spaces.
 * @param json - Contents of `tokenizer.json`, as text or parsed.
 * @param config - Contents of `tokenizer_config.json`; gives the end of text (`eos_token`).
 * @throws EitpError "data" if the files cannot be read as a tokenizer.
 */
export function fromTokenizerJson(json: string | JsonObject, config: string | JsonObject = {}): Tokenizer {
  const tokenizer = parse(json, "tokenizer.json");
  const settings = parse(config, "tokenizer_config.json");
  const inner = open(tokenizer, settings);
  const spellings = vocabularyOf(inner);
  const added = inner.get_added_tokens_decoder();
  const name = "tokenizer.json";
  return Object.freeze({
    name,
    vocabularySize: spellings.length,
    endOfText: endOfTextId(inner, settings),
    encode: (text: string) => Int32Array.from(inner.encode(wellFormed(text), { add_special_tokens: false }).ids),
    ...(isByteLevel(tokenizer["decoder"])
      ? tokenBytes(
          name,
          spellings.map((token, id) => bytesOf(token, added.has(id))),
          specialIds(added),
        )
      : wholeText(inner, spellings.length)),
    save: () => ({ type: "tokenizer.json" as const, version: 1 as const, tokenizer, config: settings }),
  });
}

type AddedTokens = ReturnType<HuggingFaceTokenizer["get_added_tokens_decoder"]>;

function parse(source: string | JsonObject, file: string): JsonObject {
  let value: unknown = source;
  if (typeof source === "string") {
    try {
      value = JSON.parse(source);
    } catch (cause) {
      throw new EitpError("data", `${file} is not JSON: ${String(cause)}`, { cause });
    }
  }
  if (!isObject(value)) throw new EitpError("data", `${file} holds ${JSON.stringify(value)?.slice(0, 40)}; expected a JSON object.`);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function open(tokenizer: JsonObject, config: JsonObject): HuggingFaceTokenizer {
  try {
    // The library iterates over added_tokens, which the format allows to be absent.
    return new HuggingFaceTokenizer({ added_tokens: [], ...tokenizer }, config);
  } catch (cause) {
    throw new EitpError("data", `tokenizer.json is not a tokenizer that @huggingface/tokenizers can open: ${String(cause)}`, { cause });
  }
}

function vocabularyOf(inner: HuggingFaceTokenizer): readonly string[] {
  const spellings: string[] = [];
  for (const [token, id] of inner.get_vocab()) spellings[id] = token;
  // Ids that the file leaves out still count: a model has rows for them.
  return Array.from(spellings, (token) => token ?? "");
}

function endOfTextId(inner: HuggingFaceTokenizer, config: JsonObject): number | null {
  const eos = config["eos_token"];
  const name = typeof eos === "string" ? eos : isObject(eos) && typeof eos["content"] === "string" ? eos["content"] : endOfTextName;
  return inner.token_to_id(name) ?? null;
}

function isByteLevel(decoder: unknown): boolean {
  if (!isObject(decoder)) return false;
  if (decoder["type"] !== "Sequence") return decoder["type"] === "ByteLevel";
  const parts = decoder["decoders"];
  return Array.isArray(parts) && parts.length === 1 && isByteLevel(parts[0]);
}

function bytesOf(token: string, isAdded: boolean): Uint8Array {
  return (isAdded ? null : readSpelling(token)) ?? utf8(token);
}

function specialIds(added: AddedTokens): Set<number> {
  return new Set([...added.values()].filter((token) => token.special).map((token) => token.id));
}

/** Decoding where a token's text depends on its neighbours: always through the library, over whole sequences. */
function wholeText(inner: HuggingFaceTokenizer, size: number): Pick<Tokenizer, "decode" | "decodeBytes" | "byteLengths" | "createDecoder"> {
  const decode = (ids: Iterable<number>): string => {
    const list = [...ids];
    for (const [position, id] of list.entries())
      if (!Number.isInteger(id) || id < 0 || id >= size) throw unknownId("tokenizer.json", position, id, size);
    return list.length === 0 ? "" : inner.decode(list, { skip_special_tokens: false });
  };
  return { decode, decodeBytes: (ids) => utf8(decode(ids)), byteLengths: () => null, createDecoder: () => streamWindow(decode) };
}

/**
 * Decodes a window that starts at the last token already shown, so that a decoder which looks at neighbours sees one, and shows what
 * the new tokens added. A trailing U+FFFD may be half a character: it waits.
 */
function streamWindow(decode: (ids: Iterable<number>) => string): StreamDecoder {
  let window: number[] = [];
  let shown = 0;
  const take = (final: boolean): string => {
    const before = decode(window.slice(0, shown));
    const now = decode(window);
    if (now.length <= before.length || (!final && now.endsWith("\uFFFD"))) return "";
    window = window.slice(shown);
    shown = window.length;
    return now.slice(before.length);
  };
  return {
    push: (id) => {
      window.push(id);
      return take(false);
    },
    end: () => {
      const rest = take(true);
      window = [];
      shown = 0;
      return rest;
    },
  };
}
