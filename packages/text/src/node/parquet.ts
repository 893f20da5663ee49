import { EitpError } from "@eitp/engine/error";
import type { Document } from "../data/document.ts";
import { decodeBytes } from "./decode-text.ts";
import { unreadable } from "./input-error.ts";
import { kindOf } from "./jsonl.ts";

export interface ParquetOptions {
  readonly column: string;
  readonly replaceInvalid: boolean;
  readonly onReplaced?: (name: string, count: number) => void;
}

/**
 * The documents of one string column, one row group in memory at a time (of that column only). Empty texts are left out. Row numbers start at 0.
 * @throws EitpError "data" for what is no Parquet, a missing column (the message names those there are), a row that is no string, no rows.
 */
export async function* parquetDocuments(path: string, options: ParquetOptions): AsyncGenerator<Document> {
  // Half a megabyte of code that few runs need.
  const [{ asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const file = await reading(path, () => asyncBufferFromFile(path));
  const metadata = await reading(path, () => parquetMetadataAsync(file));
  const names = parquetSchema(metadata).children.map((child) => child.element.name);
  if (!names.includes(options.column))
    throw new EitpError(
      "data",
      `${path} has no column "${options.column}"; the columns are: ${names.join(", ")}. Name the one that holds the text (--field).`,
    );
  let replaced = 0;
  let row = 0;
  const stringFromBytes = (bytes: Uint8Array | undefined): string | undefined => {
    if (bytes === undefined) return undefined;
    const decoded = decodeBytes(bytes, `${path}, column "${options.column}"`, options.replaceInvalid);
    replaced += decoded.replaced;
    return decoded.text;
  };
  for (const group of metadata.row_groups) {
    const rowEnd = row + Number(group.num_rows);
    const range = { rowStart: row, rowEnd, columns: [options.column] };
    const rows = await reading(path, () => parquetReadObjects({ file, metadata, compressors, parsers: { stringFromBytes }, ...range }));
    for (const record of rows) {
      const text: unknown = record[options.column];
      if (typeof text !== "string")
        throw new EitpError(
          "data",
          `${path}, row ${row}: the column "${options.column}" must hold a string, found ${kindOf(text)}. Name the column that holds the text (--field).`,
        );
      if (text !== "") yield { id: `${path}:${row}`, text };
      row++;
    }
  }
  if (row === 0) throw new EitpError("data", `${path} has no rows. Give a file with text in it.`);
  if (replaced > 0) options.onReplaced?.(path, replaced);
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw unreadable(path, error);
  }
}
