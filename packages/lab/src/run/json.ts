import { EitpError } from "@eitp/engine/error";

/** A parsed value of unknown shape, read field by field; every complaint names the place. */
export type Fields = { readonly [key: string]: unknown };

const nonFinite: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** JSON that keeps NaN and the infinities, as the strings "NaN", "Infinity" and "-Infinity" (plain JSON turns them into null). */
export function stringify(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, entry) => (typeof entry === "number" && !Number.isFinite(entry) ? String(entry) : entry), indent);
}

/** @throws EitpError "data" that names `place`. */
export function parseObject(text: string, place: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EitpError("data", `${place} is not JSON: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
  return fieldsOf(value, place);
}

export function fieldsOf(value: unknown, place: string): Fields {
  if (isFields(value)) return value;
  throw new EitpError("data", `${place}: expected a JSON object, found ${describe(value)}.`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number, or one of the three strings that stand for a non-finite one. */
export function numberOf(value: unknown, place: string): number {
  if (typeof value === "number") return value;
  const special = typeof value === "string" ? nonFinite.get(value) : undefined;
  if (special !== undefined) return special;
  throw new EitpError("data", `${place}: expected a number, "NaN", "Infinity" or "-Infinity", found ${describe(value)}.`);
}

export function textOf(value: unknown, place: string): string {
  if (typeof value === "string") return value;
  throw new EitpError("data", `${place}: expected a string, found ${describe(value)}.`);
}

export function arrayOf(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new EitpError("data", `${place}: expected an array, found ${describe(value)}.`);
}

/** An optimiser step: an integer from 0. */
export function stepOf(value: unknown, place: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new EitpError("data", `${place}: expected a step (an integer from 0), found ${describe(value)}.`);
}

/** One of a few words. */
export function wordOf<W extends string>(value: unknown, words: readonly W[], place: string): W {
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  throw new EitpError("data", `${place}: expected one of ${words.join(", ")}, found ${describe(value)}.`);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
