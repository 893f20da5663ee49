import { headerBytes, parseHeader, readTensor, type SafetensorsTensor } from "@eitp/core/safetensors";
import { EitpError } from "@eitp/engine/error";
import { type FileSource, readJsonObject } from "./file-source.ts";

const single = "model.safetensors";
const index = "model.safetensors.index.json";

/**
 * The tensors of a Hugging Face folder, from `model.safetensors` or the shards of its index. Read one by one, so that no more than the
 * model itself is ever in memory.
 * @param wanted leaves out tensors that nobody will look at
 * @throws EitpError "data" for malformed files, shards that are missing, and tensors that are missing or doubled
 */
export async function readTensors(source: FileSource, wanted: (name: string) => boolean): Promise<ReadonlyMap<string, SafetensorsTensor>> {
  const files = await source.list();
  if (files.includes(single)) return readFile(source, single, wanted);
  if (!files.includes(index)) {
    const old = files.find((file) => file.startsWith("pytorch_model"));
    const hint = old === undefined ? "" : ` ${old} is a pickle, which can run code; load it in transformers and save it again.`;
    throw new EitpError("data", `${source.name} has neither ${single} nor ${index}.${hint}`);
  }
  return readShards(source, files, wanted);
}

async function readShards(
  source: FileSource,
  files: readonly string[],
  wanted: (name: string) => boolean,
): Promise<ReadonlyMap<string, SafetensorsTensor>> {
  const where = `${source.name}/${index}`;
  const map = (await readJsonObject(source, index))["weight_map"];
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw new EitpError("data", `${where}: weight_map is missing.`);
  const shardOf = new Map<string, unknown>(Object.entries(map));

  const tensors = new Map<string, SafetensorsTensor>();
  for (const shard of [...new Set(shardOf.values())].sort()) {
    // Only names the folder itself lists, so an index cannot point anywhere else.
    if (typeof shard !== "string" || !files.includes(shard)) {
      throw new EitpError("data", `${where}: the shard ${JSON.stringify(shard)} is not in the folder. Was the download complete?`);
    }
    for (const [name, tensor] of await readFile(source, shard, wanted)) {
      if (shardOf.get(name) !== shard) {
        throw new EitpError("data", `${source.name}/${shard} holds ${JSON.stringify(name)}, which ${index} does not place there.`);
      }
      tensors.set(name, tensor);
    }
  }
  const missing = [...shardOf.keys()].filter((name) => wanted(name) && !tensors.has(name));
  if (missing.length > 0) throw new EitpError("data", `${where} promises tensors that no shard holds: ${missing.slice(0, 20).join(", ")}.`);
  return tensors;
}

async function readFile(
  source: FileSource,
  file: string,
  wanted: (name: string) => boolean,
): Promise<ReadonlyMap<string, SafetensorsTensor>> {
  const where = `${source.name}/${file}`;
  const size = await source.size(file);
  const length = headerBytes(await source.read(file, 0, Math.min(8, size)), size, where);
  const header = parseHeader(await source.read(file, 0, length), size, where);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, info] of header.tensors) {
    if (!wanted(name)) continue;
    tensors.set(name, readTensor(info, await source.read(file, info.begin, info.end), `${where}: tensor ${JSON.stringify(name)}`));
  }
  return tensors;
}
