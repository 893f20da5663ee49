import { EitpError } from "@eitp/engine/error";
import type { Document } from "../data/document.ts";
import { type Line, linesOf } from "./lines.ts";

/** A surrogate without its partner, which JSON can spell ("\ud800") but UTF-8 cannot. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The documents of JSON Lines: the string field `field` of every line. Blank lines and empty texts are left out.
 * @throws EitpError "data" with file and line, for what is no JSON object or lacks the field, for no document at all.
 */
export async function* jsonlDocuments(
  pieces: AsyncIterable<string>,
  name: string,
  field: string,
  onLoneSurrogates: ((count: number) => void) | undefined,
): AsyncGenerator<Document> {
  let lines = 0;
  for await (const line of linesOf(pieces, name)) {
    if (line.text.trim() === "") continue;
    lines++;
    const where = `${name}:${line.number}`;
    const text = wellFormed(fieldOf(line, where, field), where, onLoneSurrogates);
    if (text !== "") yield { id: where, text };
  }
  if (lines === 0) throw new EitpError("data", `${name} holds no line of JSON. Give a file with one JSON object per line.`);
}

function fieldOf(line: Line, where: string, field: string): string {
  const value = parse(line.text, where);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new EitpError(
      "data",
      `${where}: expected a JSON object, found ${kindOf(value)}. Put the text into a field: {"${field}": "..."}.`,
    );
  if (!Object.hasOwn(value, field)) {
    const has = Object.keys(value).slice(0, 20).join(", ") || "none";
    throw new EitpError(
      "data",
      `${where}: there is no field "${field}"; the fields are: ${has}. Name the field that holds the text (--field).`,
    );
  }
  const text: unknown = (value as Record<string, unknown>)[field];
  if (typeof text === "string") return text;
  throw new EitpError(
    "data",
    `${where}: the field "${field}" must be a string, found ${kindOf(text)}. Name the field that holds the text (--field).`,
  );
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const start = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EitpError("data", `${where}: expected one JSON object a line, found ${JSON.stringify(start)} (${reason}).`, { cause: error });
  }
}

function wellFormed(text: string, where: string, onLoneSurrogates: ((count: number) => void) | undefined): string {
  if (!loneSurrogate.test(text)) return text;
  if (!onLoneSurrogates)
    throw new EitpError(
      "data",
      `${where}: the text has half a surrogate pair (\\ud800 to \\udfff), which is no character. Allow replacement by U+FFFD (--replace-invalid).`,
    );
  let count = 0;
  const replaced = text.replace(/\p{Surrogate}/gu, () => {
    count++;
    return "\ufffd";
  });
  onLoneSurrogates(count);
  return replaced;
}

/** The JSON type of a value, for messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
