import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { ioError } from "@eitp/core/node";
import type { Hook } from "@eitp/core/spec";
import { repairTail } from "../run/lines.ts";
import { encodeRecord } from "./codec.ts";

/**
 * Writes every record as one JSON line: `{"step": 7, "kind": "step" | "evaluation" | "checkpoint", "values": {"ce.loss": 5.5, …}}`, with
 * `"ledger": [{term, value, weighted, gradientNorm, cosine, ms}]` and `"checkpoint": "folder"` where the record has them. NaN and the
 * infinities are the strings "NaN", "Infinity" and "-Infinity". A line is handed to the system before `onRecord` returns, so a killed
 * process loses none, and forced to the disk with every checkpoint record and at the end.
 *
 * Appends to an existing file, after cutting a last line torn by a kill. Before a resumed run starts, call `truncateMetrics`.
 * @param path - Of the file; its folder is made if missing.
 * @throws EitpError "io" from the hook where the disk refuses.
 */
export function metricsFile(path: string): Hook {
  let opened: ReturnType<typeof openForAppend> | undefined;
  return {
    name: "metricsFile",
    async onRecord(record) {
      opened ??= openForAppend(path);
      const file = await opened;
      const line = encodeRecord(record);
      try {
        await file.appendFile(line);
        if (record.kind === "checkpoint") await file.datasync();
      } catch (error) {
        throw ioError(error, { action: "append a metrics line", path, bytes: Buffer.byteLength(line) });
      }
    },
    async onEnd() {
      if (opened === undefined) return;
      const file = await opened;
      opened = undefined;
      try {
        await file.datasync();
      } catch (error) {
        throw ioError(error, { action: "finish the metrics file", path });
      } finally {
        await file.close();
      }
    },
  };
}

async function openForAppend(path: string): ReturnType<typeof open> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await repairTail(path);
    return await open(path, "a");
  } catch (error) {
    throw ioError(error, { action: "open the metrics file", path });
  }
}
