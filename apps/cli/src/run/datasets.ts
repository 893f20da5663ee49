import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AnyDataset } from "@eitp/core/spec";
import { sequentialDataset, type Tokenizer, textDataset } from "@eitp/text";
import { openShards, type Pack, type PackOptions, packFiles, packShards, type ShardIndex, verifyShards } from "@eitp/text/node";
import type { Config } from "../config/types.ts";
import { formatCount } from "../output/format.ts";
import type { Output } from "../output/output.ts";
import { isBuiltin, mobyDickDocument, mobyDickIdentity } from "./corpus.ts";
import { runFiles } from "./folder.ts";

export interface Datasets {
  readonly index: ShardIndex;
  readonly train: AnyDataset;
  /** Null where nothing is held out. */
  readonly heldOut: AnyDataset | null;
  /** Of the held-out text. */
  readonly bytesPerToken: number;
  close(): void;
}

/** Packs the text of a configuration into the run folder, or takes the pack that is already there, verified. */
export async function datasets(
  folder: string,
  config: Config,
  tokenizer: Tokenizer,
  output: Output,
  signal: AbortSignal,
): Promise<Datasets> {
  const place = join(folder, runFiles.data);
  if (existsSync(join(place, "index.json"))) {
    const { index, close } = await openShards(place);
    close();
    await verifyShards(place, index);
  } else {
    const { index } = await pack(config, tokenizer, place, output, signal);
    const { train, validation } = index;
    const heldOut = validation === null ? "nothing held out" : `${formatCount(validation.tokens)} held out (${index.split.method})`;
    output.note(
      `data: ${formatCount(train.tokens)} tokens to learn from, ${heldOut}; tokenizer ${tokenizer.name}, ${formatCount(tokenizer.vocabularySize)} ids`,
    );
  }
  const { index, train, validation, close } = await openShards(place);
  const { order, withinDocuments } = config.data;
  const shape = { sequences: config.training.batch, length: config.training.length ?? 1 };
  try {
    return {
      index,
      train: textDataset({ tokens: train, shape, order, ignoreAcrossDocuments: withinDocuments }),
      heldOut: validation === null ? null : sequentialDataset({ tokens: validation, shape, ignoreAcrossDocuments: withinDocuments }),
      bytesPerToken: index.validation === null ? 1 : index.validation.bytes / index.validation.tokens,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function pack(config: Config, tokenizer: Tokenizer, place: string, output: Output, signal: AbortSignal): Promise<Pack> {
  const { inputs, field, format, replaceInvalid, validationFraction, split } = config.data;
  const options: PackOptions = { validationFraction, split, signal };
  if (isBuiltin(inputs)) return packShards([await mobyDickDocument()], tokenizer, place, { ...options, identity: mobyDickIdentity });
  return packFiles(inputs, tokenizer, place, {
    ...options,
    field,
    replaceInvalid,
    ...(format !== null && { format }),
    onReplaced: (name, count) => {
      if (count > 0) output.warn(`${name}: ${formatCount(count)} invalid UTF-8 sequences were replaced by U+FFFD`);
    },
  });
}
