import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { unreadable } from "./input-error.ts";
import { inputFiles } from "./inputs.ts";
import { type Pack, type PackOptions, packShards, type SavableEncoder } from "./pack-shards.ts";
import { type ReadOptions, readDocuments } from "./read-documents.ts";
import type { Source } from "./shard-index.ts";

/** Options of {@link packFiles}: how to read and how to pack. */
export type PackFilesOptions = ReadOptions & Omit<PackOptions, "identity" | "sources">;

/**
 * Reads inputs as `readDocuments` does and packs them as `packShards` does. Where the folder holds a pack of the same files
 * (by content), tokenizer and options, it is kept; standard input and pipes are always packed anew.
 * @throws EitpError as both do.
 * @example
 * ```ts
 * const { index } = await packFiles(["corpus/"], bytes(), "runs/data");
 * ```
 */
export async function packFiles(
  inputs: readonly string[],
  tokenizer: SavableEncoder,
  folder: string,
  options: PackFilesOptions = {},
): Promise<Pack> {
  const paths = (await inputFiles(inputs, options.format)).map((file) => file.path);
  const sources = await sourcesOf(paths);
  const { field = "text", replaceInvalid = false, format = "by name" } = options;
  const known = sources.length === paths.length;
  const identity = JSON.stringify([sources.map(({ path, sha256 }) => [path, sha256]), field, replaceInvalid, format]);
  return packShards(readDocuments(inputs, options), tokenizer, folder, { ...options, sources, ...(known && { identity }) });
}

/** Size and hash of the regular files among the paths. */
async function sourcesOf(paths: readonly string[]): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const path of paths) {
    if (path === "-") continue;
    try {
      const { size } = await regular(path);
      if (size !== undefined) sources.push({ path, bytes: size, sha256: await hashFile(path) });
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  return sources;
}

async function regular(path: string): Promise<{ readonly size: number | undefined }> {
  const found = await stat(path);
  return { size: found.isFile() ? found.size : undefined };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
