import type { TensorInfo } from "@tensorflow/tfjs-core";
import { alibiSlopes, queryScales, rotaryAngles } from "../../ops/attention-tables.ts";
import type { AttentionOptions } from "../../ops/types.ts";
import { addKernel, addressOf, type WasmBackend } from "./heap.ts";
import { kernelsOf } from "./kernel-module.ts";
import { withScratch } from "./scratch.ts";

interface Attributes {
  readonly heads: number;
  readonly positions: AttentionOptions["positions"];
  /** 0: none. */
  readonly logN: number;
}
interface Inputs {
  readonly qkv: TensorInfo;
  readonly mask?: TensorInfo;
}
interface GradInputs extends Inputs {
  readonly dy: TensorInfo;
  readonly lse: TensorInfo;
}

/** `EitAttention` and its gradient; inputs and outputs as `FusedKernel` documents. */
export function addAttentionKernels(): void {
  addKernel<Inputs, Attributes, TensorInfo[]>("EitAttention", ({ inputs: { qkv, mask }, attrs, backend }) => {
    const [batch, tokens, packed] = qkv.shape as [number, number, number];
    const size = packed / 3 / attrs.heads;
    const out = [
      [batch, tokens, packed / 3],
      [batch, attrs.heads, tokens],
    ].map((shape) => backend.makeOutput(shape, "float32")) as [TensorInfo, TensorInfo];
    const [y, lse] = [addressOf(backend, out[0]), addressOf(backend, out[1])];
    withTables(backend, tokens, size, attrs, ({ scales, cosine, sine, alibi, scratch }) =>
      kernelsOf(backend).attention(
        ...[batch, tokens, attrs.heads, size],
        ...[addressOf(backend, qkv), mask === undefined ? 0 : addressOf(backend, mask)],
        ...[scales, cosine, sine, alibi],
        ...[y, lse, scratch],
      ),
    );
    return out;
  });

  addKernel<GradInputs, Attributes>("EitAttentionGrad", ({ inputs: { dy, qkv, lse, mask }, attrs, backend }) => {
    const [batch, tokens, packed] = qkv.shape as [number, number, number];
    const size = packed / 3 / attrs.heads;
    const dqkv = backend.makeOutput(qkv.shape, "float32");
    withTables(backend, tokens, size, attrs, ({ scales, cosine, sine, alibi, scratch }) =>
      kernelsOf(backend).attentionGrad(
        ...[batch, tokens, attrs.heads, size],
        ...[addressOf(backend, dy), addressOf(backend, qkv), addressOf(backend, lse), mask === undefined ? 0 : addressOf(backend, mask)],
        ...[scales, cosine, sine, alibi],
        ...[addressOf(backend, dqkv), scratch],
      ),
    );
    return dqkv;
  });
}

interface Tables {
  readonly scales: number;
  readonly cosine: number;
  readonly sine: number;
  readonly alibi: number;
  readonly scratch: number;
}

/** Puts query scales, angles and slopes on the heap, before the scratch memory; 0 where there is none. */
function withTables(backend: WasmBackend, tokens: number, size: number, attrs: Attributes, f: (tables: Tables) => void): void {
  const { heads, positions, logN } = attrs;
  const angles = positions === "rotary" ? rotaryAngles(tokens, 0, size) : undefined;
  const tables = {
    scales: queryScales(tokens, 0, logN === 0 ? null : logN, 1 / Math.sqrt(size)),
    cosine: angles?.cosine ?? none,
    sine: angles?.sine ?? none,
    alibi: positions === "alibi" ? Float32Array.from(alibiSlopes(heads)) : none,
  };
  const bytes = Object.values(tables).reduce((sum, { length }) => sum + aligned(length), 0);
  withScratch(backend, bytes + kernelsOf(backend).attentionScratch(tokens, size), (address) => {
    let scratch = address;
    const put = (values: Float32Array): number => {
      const at = scratch;
      new Float32Array(backend.wasm.asm.memory.buffer, at, values.length).set(values);
      scratch += aligned(values.length);
      return values.length === 0 ? 0 : at;
    };
    const { scales, cosine, sine, alibi } = tables;
    f({ scales: put(scales), cosine: put(cosine), sine: put(sine), alibi: put(alibi), scratch });
  });
}

const none = new Float32Array(0);
const aligned = (floats: number): number => 16 * Math.ceil(floats / 4);
