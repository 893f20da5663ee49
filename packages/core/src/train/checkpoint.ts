import { EitpError } from "@eitp/engine/error";
import { decodeSafetensors, encodeSafetensors, type NamedTensor, type SafetensorsTensor } from "../safetensors/index.ts";
import type { Saved, Store } from "../spec/index.ts";
import type { SavedRun } from "./trainer.ts";
import type { HostTensor, Json } from "./tree.ts";

const schemaVersion = 1;
const paramsPrefix = "params/";

/** How far evaluation has come; saved, so that early stopping resumes exactly. */
export type Progress = {
  readonly best: { readonly step: number; readonly loss: number } | null;
  /** Evaluations since the best one. */
  readonly since: number;
};
/** A run between two steps, and what it belongs to. */
export interface Checkpoint {
  readonly saved: SavedRun;
  readonly progress: Progress;
  readonly seed: number;
  /** Fingerprint of the training data. */
  readonly dataset: string;
  /** Backend it was trained on: resuming is bit-identical on the same one. */
  readonly backend: string;
  readonly config: Json;
}

/** Three files: `model.safetensors` (parameters), `optimizer.safetensors` (every other tensor, by path), `state.json` (the rest, with SHA-256 of all). */
export async function checkpointFiles(checkpoint: Checkpoint): Promise<{ readonly [name: string]: Uint8Array }> {
  const { saved, progress, seed, dataset, backend, config } = checkpoint;
  const named = [...saved.tensors].map(([path, t]): NamedTensor => namedTensor(path, t));
  const model = named.filter((t) => t.name.startsWith(paramsPrefix)).map((t) => ({ ...t, name: t.name.slice(paramsPrefix.length) }));
  const files = {
    "model.safetensors": encodeSafetensors(model, { format: "pt" }),
    "optimizer.safetensors": encodeSafetensors(named.filter((t) => !t.name.startsWith(paramsPrefix))),
  };
  const sums = Object.fromEntries(
    await Promise.all(Object.entries(files).map(async ([name, bytes]) => [name, await sha256(bytes)] as const)),
  );
  const body = {
    schemaVersion,
    step: saved.step,
    seed,
    dataset,
    backend,
    progress,
    cursor: plain(saved.cursor),
    tree: saved.json,
    config,
    files: sums,
  };
  const state = { ...body, checksum: await sha256(encode(body)) };
  return { ...files, "state.json": encode(state) };
}

/**
 * Reads and verifies a checkpoint folder.
 * @throws EitpError "data" where a file is missing, truncated or altered, or was written by a newer version, naming file and place.
 */
export async function readCheckpoint(store: Store, folder: string): Promise<Checkpoint> {
  const bytes = await required(store, `${folder}/state.json`);
  const state = parseState(bytes, folder);
  if (typeof state.schemaVersion !== "number" || state.schemaVersion > schemaVersion)
    throw damaged(folder, `state.json has schema version ${state.schemaVersion}, this version reads up to ${schemaVersion}; update EIT-P`);
  const { checksum, ...body } = state;
  if (checksum !== (await sha256(encode(body)))) throw damaged(folder, "state.json does not match its checksum");
  const tensors = new Map<string, HostTensor>();
  for (const [name, sum] of Object.entries(state.files)) {
    const file = await required(store, `${folder}/${name}`);
    if ((await sha256(file)) !== sum)
      throw damaged(folder, `${name} does not match its checksum (${file.length} bytes): it was cut short or altered`);
    const prefix = name === "model.safetensors" ? paramsPrefix : "";
    for (const [path, t] of decodeSafetensors(file, `${folder}/${name}`).tensors) tensors.set(prefix + path, hostTensor(path, t));
  }
  const { step, seed, dataset, backend, progress, config } = state;
  return { saved: { step, cursor: state.cursor, json: state.tree, tensors }, progress, seed, dataset, backend, config };
}

interface State {
  readonly schemaVersion: number;
  readonly step: number;
  readonly seed: number;
  readonly dataset: string;
  readonly backend: string;
  readonly progress: Progress;
  readonly cursor: Json;
  readonly tree: Json;
  readonly config: Json;
  readonly files: { readonly [name: string]: string };
  readonly checksum: string;
}

function parseState(bytes: Uint8Array, folder: string): State {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new EitpError("data", `checkpoint ${folder}: state.json is not JSON (${bytes.length} bytes): it was cut short or altered`, {
      cause,
    });
  }
  if (typeof parsed !== "object" || parsed === null || !("schemaVersion" in parsed) || !("files" in parsed))
    throw damaged(folder, "state.json is not a checkpoint of EIT-P");
  return parsed as State;
}

function namedTensor(name: string, { shape, data }: HostTensor): NamedTensor {
  return data instanceof Int32Array ? { name, dtype: "I32", shape, data } : { name, dtype: "F32", shape, data };
}
function hostTensor(path: string, t: SafetensorsTensor): HostTensor {
  if (t.dtype === "F32") return { dtype: "float32", shape: t.shape, data: t.data };
  if (t.dtype === "I32") return { dtype: "int32", shape: t.shape, data: t.data };
  throw new EitpError("data", `checkpoint tensor '${path}' has dtype ${t.dtype}; expected F32 or I32`);
}

/** A data cursor holds no tensors: loaders do not know the tensor library. */
function plain(cursor: Saved): Json {
  return JSON.parse(JSON.stringify(cursor)) as Json;
}

async function required(store: Store, path: string): Promise<Uint8Array> {
  const bytes = await store.read(path);
  if (bytes === undefined)
    throw new EitpError(
      "data",
      `${path} is missing; expected a checkpoint folder with state.json, model.safetensors and optimizer.safetensors`,
    );
  return bytes;
}
async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return [...digest].map((b) => b.toString(16).padStart(2, "0")).join("");
}
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const damaged = (folder: string, what: string): EitpError => new EitpError("data", `checkpoint ${folder}: ${what}`);
