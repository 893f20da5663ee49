import { existsSync } from "node:fs";
import { EitpError } from "@eitp/engine/error";
import { type Tokenizer, trainBpe } from "@eitp/text";
import { formatCount } from "../output/format.ts";
import { interruptible } from "../output/interrupt.ts";
import { type OutputOptions, output } from "../output/output.ts";
import { documentsOf, readTokenizer, saveTokenizer, standardTokenizer } from "../run/tokenizer.ts";

export interface TrainTokenizerFlags extends OutputOptions {
  readonly data: readonly string[];
  readonly out: string;
  readonly vocabulary: number;
  readonly minFrequency: number;
  readonly field: string;
}

/** `eitp tokenizer train`. */
export async function trainTokenizer(flags: TrainTokenizerFlags): Promise<void> {
  const out = output(flags);
  await refuseForeign(flags.out);
  const interruption = interruptible(out, "stopping.");
  try {
    const source = { inputs: flags.data, format: null, field: flags.field, replaceInvalid: false };
    const tokenizer = await trainBpe(lines(source), {
      vocabularySize: flags.vocabulary,
      minFrequency: flags.minFrequency,
      signal: interruption.signal,
    });
    await saveTokenizer(tokenizer, flags.out);
    const found = tokenizer.vocabularySize;
    if (found < flags.vocabulary)
      out.warn(`the text gives only ${formatCount(found)} of the ${formatCount(flags.vocabulary)} ids asked for`);
    out.result({ file: flags.out, vocabularySize: found }, () => `wrote ${flags.out} (${formatCount(found)} ids)`);
  } finally {
    interruption.release();
  }
}

/** @throws EitpError "usage" where a file would be replaced that is no tokenizer: the text itself, after a slip of the pen. */
async function refuseForeign(file: string): Promise<void> {
  if (!existsSync(file)) return;
  try {
    await readTokenizer(file);
  } catch (cause) {
    throw new EitpError("usage", `--out ${file} exists and is no tokenizer, so it is not replaced. Choose another file.`, { cause });
  }
}

/** Words do not reach across the pieces given to the trainer, so pieces end at line ends. */
async function* lines(source: Parameters<typeof documentsOf>[0]): AsyncGenerator<string> {
  for await (const { text } of documentsOf(source)) {
    let rest = "";
    for await (const piece of typeof text === "string" ? [text] : text) {
      const all = rest + piece;
      const end = all.lastIndexOf("\n") + 1;
      if (end > 0) yield all.slice(0, end);
      rest = all.slice(end);
    }
    if (rest !== "") yield rest;
  }
}

/** `eitp tokenizer encode`: ids separated by spaces, or with --json a list. */
export async function encodeText(name: string, text: string | undefined, flags: OutputOptions): Promise<void> {
  const ids = (await named(name)).encode(text ?? (await standardInput()));
  output(flags).result([...ids], () => ids.join(" "));
}

/** `eitp tokenizer decode`. */
export async function decodeIds(name: string, words: readonly string[], flags: OutputOptions): Promise<void> {
  const given = words.length > 0 ? words : (await standardInput()).split(/[\s,[\]]+/).filter((word) => word !== "");
  const ids = given
    .flatMap((word) => word.split(","))
    .map((word) => {
      if (/^\d+$/.test(word)) return Number(word);
      throw new EitpError("usage", `"${word}" is no token id; expected whole numbers separated by spaces or commas.`);
    });
  const text = (await named(name)).decode(ids);
  const out = output(flags);
  if (out.json) out.line({ text });
  else out.text(text);
}

async function named(name: string): Promise<Tokenizer> {
  return (await standardTokenizer(name, false)) ?? (await readTokenizer(name));
}

async function standardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
