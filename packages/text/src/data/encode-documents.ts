import { EitpError } from "@eitp/engine/error";
import type { Encoder } from "./encoder.ts";

/**
 * The ids of a text, checked against the vocabulary.
 * @throws EitpError "data" where the tokenizer cannot express the text or gives an id outside its vocabulary; `where` names the text.
 */
export function encodeChecked(encoder: Encoder, text: string, where: string): Int32Array {
  const ids = encoding(encoder, text, where);
  const { vocabularySize } = encoder;
  let bad = 0;
  while (bad < ids.length && (ids[bad] as number) >= 0 && (ids[bad] as number) < vocabularySize) bad++;
  if (bad === ids.length) return ids;
  const found = `the tokenizer gave id ${ids[bad]} at token ${bad}`;
  throw new EitpError(
    "data",
    `${where}: ${found}, but its vocabulary has ${vocabularySize} ids. Use a tokenizer whose vocabulary fits the data.`,
  );
}

function encoding(encoder: Encoder, text: string, where: string): Int32Array {
  try {
    return encoder.encode(text);
  } catch (error) {
    if (EitpError.is(error)) throw new EitpError(error.code, `${where}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** All documents as one run of tokens in memory: each is followed by the end-of-text token, where there is one. */
export function encodeDocuments(
  texts: readonly string[],
  encoder: Encoder,
): { readonly tokens: Int32Array; readonly starts: readonly number[] } {
  const end = encoder.endOfText === null ? [] : [encoder.endOfText];
  const encoded = texts.map((text, i) => encodeChecked(encoder, text, `document ${i}`));
  const tokens = new Int32Array(encoded.reduce((sum, ids) => sum + ids.length + end.length, 0));
  const starts: number[] = [];
  let at = 0;
  for (const ids of encoded) {
    starts.push(at);
    tokens.set(ids, at);
    tokens.set(end, at + ids.length);
    at += ids.length + end.length;
  }
  return { tokens, starts };
}
