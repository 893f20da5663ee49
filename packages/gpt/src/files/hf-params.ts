import type { NamedTensor, SafetensorsTensor } from "@eitp/core/safetensors";
import { EitpError } from "@eitp/engine/error";
import type { GptConfig } from "../model/config.ts";
import { parametersOf } from "../model/steps.ts";
import { structureOf } from "../model/structure.ts";
import type { HostParam, HostParams } from "./host-params.ts";

const prefix = "transformer.";
const head = "lm_head.weight";

/** Our name of a tensor in a Hugging Face file, with or without the `transformer.` prefix. */
function ourName(name: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** Causal masks that old versions of `transformers` saved with every block: constants, not parameters. */
export function isBuffer(name: string): boolean {
  return /^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/.test(name);
}

/**
 * A model's parameters from the tensors of its Hugging Face files; half precision is widened.
 * @param where named in errors
 * @throws EitpError "data" naming every tensor that is missing, unknown, doubled, or of the wrong shape or type, and an untied head
 */
export function paramsFromHuggingFace(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  config: GptConfig,
  where = "model.safetensors",
): HostParams {
  const problems: string[] = [];
  const found = new Map<string, HostParam>();
  for (const [name, { dtype, shape, data }] of tensors) {
    if (isBuffer(name)) continue;
    const own = ourName(name);
    if (found.has(own)) problems.push(`${own} is there twice, with and without "${prefix}"`);
    if (dtype === "F32" || dtype === "F16" || dtype === "BF16") found.set(own, { shape, data });
    else problems.push(`${name} is ${dtype}; expected F32, F16 or BF16`);
  }

  const refs = [...parametersOf(structureOf(config))];
  const expected = new Set(refs.map((ref) => ref.name));
  for (const { name, shape } of refs) {
    const tensor = found.get(name);
    if (tensor === undefined) problems.push(`${name} [${shape}] is missing`);
    else if (!sameNumbers(tensor.shape, shape)) problems.push(`${name} has shape [${tensor.shape}]; config.json says [${shape}]`);
  }
  for (const name of found.keys()) if (!expected.has(name) && name !== head) problems.push(`${name} is not a tensor of this model`);
  if (problems.length === 0 && !isTied(found.get(head), found.get("wte.weight"))) {
    problems.push(`${head} differs from wte.weight, but this model has one matrix for both`);
  }
  if (problems.length > 0) throw new EitpError("data", `${where}: ${list(problems)}.`);
  found.delete(head);
  return Object.fromEntries(found);
}

/**
 * A model's parameters as tensors of a Hugging Face `model.safetensors`.
 * @throws EitpError "data" naming every parameter that is missing, unknown or of the wrong shape
 */
export function paramsToHuggingFace(params: HostParams, config: GptConfig): readonly NamedTensor[] {
  const tensors = Object.entries(params).map(([name, { shape, data }]): [string, SafetensorsTensor] => [
    name,
    { dtype: "F32", shape, data },
  ]);
  const checked = paramsFromHuggingFace(new Map(tensors), config, "the parameters to export");
  return Object.entries(checked).map(([name, { shape, data }]) => ({ name: prefix + name, dtype: "F32", shape, data }));
}

/** Bit patterns, so that a NaN equals itself. */
function isTied(headTensor: HostParam | undefined, embedding: HostParam | undefined): boolean {
  if (headTensor === undefined || embedding === undefined) return true;
  if (!sameNumbers(headTensor.shape, embedding.shape)) return false;
  return sameNumbers(bits(headTensor.data), bits(embedding.data));
}
function bits(data: Float32Array): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length);
}
function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
function list(problems: readonly string[]): string {
  const shown = problems.slice(0, 20).join("; ");
  return problems.length > 20 ? `${shown}; and ${problems.length - 20} more` : shown;
}
