import { EitpError } from "@eitp/engine/error";
import { bytes } from "./bytes.ts";
import { characters } from "./characters.ts";
import { gpt2Bpe } from "./gpt2-bpe.ts";
import type { JsonObject, Tokenizer } from "./tokenizer.ts";
import { fromTokenizerJson } from "./tokenizer-json.ts";
import { readMerges, trainedBpe } from "./trained-bpe.ts";

/**
 * Restores a tokenizer from what its `save()` gave.
 * @param file - A {@link TokenizerFile}, typically parsed from a checkpoint; everything in it is checked.
 * @throws EitpError "data" naming the part of the file that is missing, wrong or from a newer version.
 */
export async function tokenizerFrom(file: unknown): Promise<Tokenizer> {
  if (!isObject(file)) throw new EitpError("data", `A saved tokenizer must be a JSON object, got ${shown(file)}.`);
  if (file["version"] !== 1)
    throw new EitpError("data", `The saved tokenizer has version ${shown(file["version"])}; this program reads version 1.`);
  switch (file["type"]) {
    case "bytes":
      return bytes({ endOfText: read(file, "endOfText", "a boolean", (value) => typeof value === "boolean") });
    case "characters":
      return characters(read(file, "alphabet", "a string", (value) => typeof value === "string"));
    case "gpt2":
      return gpt2Bpe();
    case "bpe": {
      const vocabulary = read(file, "vocabulary", "an array of strings", isStrings);
      const merges = readMerges(read(file, "merges", "an array of strings", isStrings), vocabulary);
      return trainedBpe({ vocabulary, merges, specialTokens: read(file, "specialTokens", "an array of strings", isStrings) });
    }
    case "tokenizer.json":
      return fromTokenizerJson(read(file, "tokenizer", "an object", isObject), read(file, "config", "an object", isObject));
    default:
      throw new EitpError(
        "data",
        `The saved tokenizer has type ${shown(file["type"])}; expected "bytes", "characters", "gpt2", "bpe" or "tokenizer.json".`,
      );
  }
}

function read<T>(file: JsonObject, key: string, expected: string, is: (value: unknown) => value is T): T {
  const value = file[key];
  if (!is(value))
    throw new EitpError("data", `"${key}" of the saved ${shown(file["type"])} tokenizer must be ${expected}, got ${shown(value)}.`);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
