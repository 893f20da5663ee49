import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { errnoOf } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { glob, isDynamicPattern } from "tinyglobby";
import { unreadable } from "./input-error.ts";

/** How the bytes of an input are to be read. */
export type Format = "text" | "jsonl" | "parquet";

/** One input after globs and folders were expanded. */
export interface InputFile {
  /** As it is named in messages and document ids; "-" is standard input. */
  readonly path: string;
  readonly format: Format;
  readonly gzip: boolean;
}

/** What a folder is searched for, at any depth; hidden files are left out. */
const folderPattern = "**/*.{txt,md,jsonl,jsonl.gz,parquet}";

/**
 * The files that paths, globs, folders and "-" (standard input) stand for: in the order given, globs and folders sorted by name, each file once.
 * A path that exists is never read as a glob. `format` overrides what file names say.
 * @throws EitpError "data" for a path that is not there or unreadable, a glob without match, a folder without text files; "usage" for no input or an unknown format.
 */
export async function inputFiles(inputs: readonly string[], format?: Format): Promise<readonly InputFile[]> {
  if (inputs.length === 0) throw new EitpError("usage", 'No input was given. Name files, folders or globs, or "-" for standard input.');
  if (format !== undefined && !["text", "jsonl", "parquet"].includes(format))
    throw new EitpError("usage", `format must be "text", "jsonl" or "parquet", not ${JSON.stringify(format)}.`);
  const found = new Map<string, InputFile>();
  for (const input of inputs) {
    for (const path of await expand(input)) {
      const key = path === "-" ? path : resolve(path);
      if (!found.has(key)) found.set(key, describe(path, format));
    }
  }
  return [...found.values()];
}

async function expand(input: string): Promise<readonly string[]> {
  if (input === "-") return ["-"];
  try {
    return (await stat(input)).isDirectory() ? await folder(input) : [input];
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && isDynamicPattern(input)) return matches(input);
    throw unreadable(input, error);
  }
}

async function folder(path: string): Promise<readonly string[]> {
  const names = await glob(folderPattern, { cwd: path, caseSensitiveMatch: false, expandDirectories: false });
  if (names.length > 0) return names.sort().map((name) => join(path, name));
  throw new EitpError(
    "data",
    `The folder ${path} holds no .txt, .md, .jsonl, .jsonl.gz or .parquet file, at any depth. Name the files, or use a glob.`,
  );
}

async function matches(pattern: string): Promise<readonly string[]> {
  const names = await glob(pattern, { expandDirectories: false });
  if (names.length > 0) return names.sort();
  const where = `No file matches ${pattern} (looked from ${process.cwd()}).`;
  throw new EitpError("data", `${where} Check the pattern; "**" crosses folders, "*" does not.`);
}

function describe(path: string, format: Format | undefined): InputFile {
  const gzip = /\.gz$/i.test(path);
  const name = path.replace(/\.gz$/i, "");
  const named = /\.jsonl$/i.test(name) ? "jsonl" : /\.parquet$/i.test(name) ? "parquet" : "text";
  return { path, format: format ?? named, gzip };
}
