import { dirname, join } from "node:path";
import { writeFileAtomically } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { bytes, characters, type Document, fromTokenizerJson, gpt2Bpe, type Tokenizer, tokenizerFrom } from "@eitp/text";
import { readDocuments } from "@eitp/text/node";
import type { DataConfig } from "../config/types.ts";
import { isBuiltin, mobyDickDocument } from "./corpus.ts";
import { readJsonFile } from "./json-file.ts";

/**
 * The tokenizer that a configuration names.
 * @throws EitpError "data" for a file that is none, or for text it cannot be built from; "usage" for "characters" over standard input.
 */
export async function makeTokenizer(data: DataConfig): Promise<Tokenizer> {
  if (data.tokenizer === "characters") return characters(await alphabetOf(data));
  return (await standardTokenizer(data.tokenizer, data.endOfText)) ?? (await readTokenizer(data.tokenizer));
}

/** The tokenizers that need nothing but a name; null for another name. */
export async function standardTokenizer(name: string, endOfText: boolean): Promise<Tokenizer | null> {
  if (name === "bytes") return bytes({ endOfText });
  return name === "gpt2" ? gpt2Bpe() : null;
}

/** Reads a tokenizer of ours, or a Hugging Face `tokenizer.json` with the `tokenizer_config.json` beside it, if there is one. */
export async function readTokenizer(path: string): Promise<Tokenizer> {
  const json = await readJsonFile(path, "the tokenizer");
  if (json === undefined) {
    throw new EitpError("data", `There is no tokenizer ${path}. Expected "bytes", "characters", "gpt2", or the path of a tokenizer file.`);
  }
  if ("type" in json && "version" in json && typeof json["type"] === "string") return tokenizerFrom(json);
  return fromTokenizerJson(json, (await readJsonFile(join(dirname(path), "tokenizer_config.json"), "the tokenizer")) ?? {});
}

/** Writes the tokenizer into a run folder. */
export async function saveTokenizer(tokenizer: Tokenizer, path: string): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(tokenizer.save())}\n`);
}

async function alphabetOf(data: TextConfig): Promise<string> {
  if (data.inputs.includes("-")) {
    throw new EitpError(
      "usage",
      'Tokenizer "characters" reads the text twice, which standard input cannot be. Save it to a file, or use "bytes".',
    );
  }
  const alphabet = new Set<string>();
  for await (const { text } of documentsOf(data)) {
    for await (const piece of typeof text === "string" ? [text] : text) for (const character of piece) alphabet.add(character);
  }
  return [...alphabet].join("");
}

/** The part of a configuration that says what text there is. */
export type TextConfig = Pick<DataConfig, "inputs" | "format" | "field" | "replaceInvalid">;

/** The documents a configuration names. */
export async function* documentsOf(data: TextConfig): AsyncGenerator<Document> {
  if (isBuiltin(data.inputs)) yield await mobyDickDocument();
  else
    yield* readDocuments(data.inputs, {
      field: data.field,
      replaceInvalid: data.replaceInvalid,
      ...(data.format && { format: data.format }),
    });
}
