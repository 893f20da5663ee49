import { appendFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "@eitp/core";
import { ioError, writeFileAtomically } from "@eitp/core/node";
import { EitpError } from "@eitp/engine/error";
import { type Metrics, readMetrics } from "../metrics/read.ts";
import { fieldsOf, parseObject, stepOf, stringify, textOf } from "./json.ts";
import { eachLine, isMissing, readIfThere, repairTail } from "./lines.ts";
import { decodeEnvironment, decodeRunInfo, jsonOf } from "./schema.ts";
import type { Environment, RunFiles, RunInfo, Sample } from "./types.ts";

/** A run folder, read. */
export interface RunFolder {
  readonly folder: string;
  readonly info: RunInfo;
  /** `null` where the folder has no such file; so with `environment`. */
  readonly config: Json;
  readonly environment: Environment | null;
  readonly metrics: Metrics;
  readonly samples: readonly Sample[];
}

/**
 * Writes one of the JSON files of a run folder, replacing it at once; the folder is made if missing.
 * @throws EitpError "io" where the disk refuses; the old file is then intact.
 */
export async function writeRunFile<Name extends keyof RunFiles>(folder: string, name: Name, content: RunFiles[Name]): Promise<void> {
  await writeFileAtomically(join(folder, name), `${stringify(content, 2)}\n`);
}

/** Appends one line to `samples.jsonl`, after cutting a last line torn by a kill. Throws EitpError "io" where the disk refuses. */
export async function appendSample(folder: string, { step, prompt, text, options }: Sample): Promise<void> {
  const path = join(folder, "samples.jsonl");
  const line = `${stringify({ step, prompt, text, options })}\n`;
  await repairTail(path);
  try {
    await appendFile(path, line);
  } catch (error) {
    throw ioError(error, { action: "append a sample", path, bytes: Buffer.byteLength(line) });
  }
}

/**
 * Reads a run folder: `run.json`, and as far as they exist `config.json`, `environment.json`, `metrics.jsonl` and `samples.jsonl`.
 * @throws EitpError "usage" where the folder does not exist or is no run folder, "data" where a file is damaged or of a newer schema.
 */
export async function readRun(folder: string): Promise<RunFolder> {
  await checkFolder(folder);
  const info = await readObject(folder, "run.json");
  if (info === undefined) {
    throw new EitpError(
      "usage",
      `${folder} is not a run folder: expected a file run.json in it. Give the folder that \`train\` wrote (its --out).`,
    );
  }
  const config = await readObject(folder, "config.json");
  const environment = await readObject(folder, "environment.json");
  return {
    folder,
    info: decodeRunInfo(info, join(folder, "run.json")),
    config: config === undefined ? null : jsonOf(config),
    environment: environment === undefined ? null : decodeEnvironment(environment, join(folder, "environment.json")),
    metrics: await readMetrics(join(folder, "metrics.jsonl")),
    samples: await readSamples(join(folder, "samples.jsonl")),
  };
}

async function checkFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) return;
  } catch (error) {
    if (!isMissing(error)) throw ioError(error, { action: "read a run folder", path: folder });
    throw new EitpError("usage", `There is no folder ${folder}. Give the folder that \`train\` wrote (its --out).`);
  }
  throw new EitpError("usage", `${folder} is a file: expected a run folder. Give the folder that \`train\` wrote (its --out).`);
}

async function readObject(folder: string, name: keyof RunFiles): Promise<{ readonly [key: string]: unknown } | undefined> {
  const path = join(folder, name);
  const bytes = await readIfThere(path);
  return bytes === undefined ? undefined : parseObject(bytes.toString("utf8"), path);
}

async function readSamples(path: string): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  eachLine((await readIfThere(path)) ?? Buffer.alloc(0), (line, number) => {
    const place = `${path}, line ${number}`;
    const fields = parseObject(line, place);
    const options = fields["options"];
    samples.push({
      step: stepOf(fields["step"], `${place}, step`),
      prompt: textOf(fields["prompt"], `${place}, prompt`),
      text: textOf(fields["text"], `${place}, text`),
      ...(options !== undefined && { options: jsonFields(options, `${place}, options`) }),
    });
  });
  return samples;
}

function jsonFields(value: unknown, place: string): { readonly [name: string]: Json } {
  return Object.fromEntries(Object.entries(fieldsOf(value, place)).map(([key, entry]) => [key, jsonOf(entry)]));
}
