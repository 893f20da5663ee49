import { existsSync } from "node:fs";
import { join } from "node:path";
import { EitpError } from "@eitp/engine/error";
import { memoryTokens, type Tokenizer, type TokenSource } from "@eitp/text";
import { openShards } from "@eitp/text/node";
import { runFiles } from "./folder.ts";
import { documentsOf, type TextConfig } from "./tokenizer.ts";

/** Tokens to evaluate on. */
export interface TextTokens {
  readonly tokens: TokenSource;
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
  /** Where it comes from, for people. */
  readonly text: string;
  close(): void;
}

/** Reads and encodes text as a whole, in memory. */
export async function encodedText(source: TextConfig, tokenizer: Tokenizer): Promise<TextTokens> {
  const parts: Int32Array[] = [];
  const starts: number[] = [];
  let bytes = 0;
  let length = 0;
  for await (const { text } of documentsOf(source)) {
    let whole = "";
    for await (const piece of typeof text === "string" ? [text] : text) whole += piece;
    const ids = tokenizer.encode(whole);
    const ended = tokenizer.endOfText === null ? ids : Int32Array.from([...ids, tokenizer.endOfText]);
    starts.push(length);
    parts.push(ended);
    bytes += Buffer.byteLength(whole);
    length += ended.length;
  }
  const tokens = new Int32Array(length);
  for (const [i, part] of parts.entries()) tokens.set(part, starts[i] ?? 0);
  return { tokens: memoryTokens(tokens, starts), bytes, text: source.inputs.join(", "), close: () => undefined };
}

/** What a run held out. @throws EitpError "usage" where that is nothing. */
export async function heldOutText(run: string): Promise<TextTokens> {
  const folder = join(run, runFiles.data);
  if (!existsSync(join(folder, "index.json"))) {
    throw new EitpError("usage", `${run} holds no text of its own. Say what to evaluate on: --data <paths>.`);
  }
  const { index, validation, close } = await openShards(folder);
  if (validation !== null && index.validation !== null) {
    return { tokens: validation, bytes: index.validation.bytes, text: "held out in training", close };
  }
  close();
  throw new EitpError("usage", `The run ${run} held no text out. Say what to evaluate on: --data <paths>.`);
}
