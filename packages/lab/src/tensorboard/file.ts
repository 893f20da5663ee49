import { mkdir, open } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ioError } from "@eitp/core/node";
import type { Hook } from "@eitp/core/spec";
import { encodeEvent, startMark, type TensorBoardEvent, textValue } from "./proto.ts";
import { frame } from "./record.ts";
import { scalarsOf } from "./tags.ts";

/** Options of {@link tensorBoardFile}. */
export interface TensorBoardOptions {
  /** Step the run resumes at: TensorBoard then forgets what earlier files of the folder say about this and later steps. Default 0. */
  readonly from?: number;
  /** Texts for the text tab by tag, read as Markdown: the resolved configuration, say. */
  readonly texts?: { readonly [tag: string]: string };
}

type File = Awaited<ReturnType<typeof open>>;
let counter = 0;

/**
 * Writes every record to a new `events.out.tfevents.*` file that TensorBoard reads: `tensorboard --logdir <folder>`. Scalars are simple
 * values (float32), grouped as "loss/ce", "loss/heldOut", "gradient/norm", "run/learningRate", "ledger.cosine/chaos".
 * @param folder - Made if missing; each resumed run adds a file of its own.
 * @throws EitpError "io" from the hook where the disk refuses.
 */
export function tensorBoardFile(folder: string, { from = 0, texts = {} }: TensorBoardOptions = {}): Hook {
  let opened: Promise<{ readonly file: File; readonly path: string }> | undefined;
  return {
    name: "tensorBoardFile",
    async onRecord(record) {
      opened ??= begin(folder, from, texts);
      const { file, path } = await opened;
      const value = scalarsOf(record);
      if (value.length > 0) await append(file, path, [{ wallTime: Date.now() / 1000, step: record.step, summary: { value } }]);
    },
    async onEnd() {
      if (opened === undefined) return;
      const { file } = await opened;
      opened = undefined;
      await file.close();
    },
  };
}

async function begin(
  folder: string,
  from: number,
  texts: { readonly [tag: string]: string },
): Promise<{ readonly file: File; readonly path: string }> {
  const wallTime = Date.now() / 1000;
  // TensorBoard reads the files of a folder in the order of their names: time first, then a counter for files of one second.
  counter += 1;
  const seconds = String(Math.floor(wallTime)).padStart(10, "0");
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${counter}`);
  const file = await create(folder, path);
  const value = Object.entries(texts).map(([tag, text]) => textValue(tag, text));
  await append(file, path, [
    { wallTime, fileVersion: "brain.Event:2" },
    ...(from > 0 ? [{ wallTime, step: from, sessionLog: startMark }] : []),
    ...(value.length > 0 ? [{ wallTime, step: from, summary: { value } }] : []),
  ]);
  return { file, path };
}

async function create(folder: string, path: string): Promise<File> {
  try {
    await mkdir(folder, { recursive: true });
    return await open(path, "wx");
  } catch (error) {
    throw ioError(error, { action: "create a TensorBoard file", path });
  }
}

async function append(file: File, path: string, events: readonly TensorBoardEvent[]): Promise<void> {
  const bytes = Buffer.concat(events.map((event) => frame(encodeEvent(event))));
  try {
    await file.appendFile(bytes);
  } catch (error) {
    throw ioError(error, { action: "append to a TensorBoard file", path, bytes: bytes.length });
  }
}
