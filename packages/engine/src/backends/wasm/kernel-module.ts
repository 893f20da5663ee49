import { EitpError } from "../../error.ts";
import type { WasmBackend } from "./heap.ts";

type Address = number;
type Count = number;

/** What wasm/index.ts exports. Addresses are bytes on tfjs' heap, strides and counts floats; scratch memory comes from the caller. */
export interface KernelModule {
  gemmScratch(m: Count, n: Count, k: Count): number;
  gemm(
    ...a: [
      ...sizes: [m: Count, n: Count, k: Count],
      ...left: [a: Address, rowStride: Count, columnStride: Count],
      ...right: [b: Address, rowStride: Count, columnStride: Count],
      ...out: [c: Address, ldc: Count, accumulate: boolean, bias: Address, scratch: Address],
    ]
  ): void;
  columnSum(n: Count, d: Count, x: Address, sums: Address): void;
  rowSums(n: Count, d: Count, x: Address, sums: Address): void;
  layerNorm(n: Count, d: Count, x: Address, w: Address, b: Address, y: Address, mean: Address, r: Address, epsilon: number): void;
  layerNormGrad(
    ...a: [n: Count, d: Count, dy: Address, x: Address, w: Address, mean: Address, r: Address, dx: Address, dw: Address, db: Address]
  ): void;
  gelu(n: Count, x: Address, y: Address): void;
  geluGrad(n: Count, dy: Address, x: Address, dx: Address): void;
  attentionScratch(tokens: Count, size: Count): number;
  attention(
    ...a: [
      ...sizes: [batch: Count, tokens: Count, heads: Count, size: Count],
      ...inputs: [qkv: Address, mask: Address, scales: Address, cosine: Address, sine: Address, alibi: Address],
      ...out: [y: Address, lse: Address, scratch: Address],
    ]
  ): void;
  attentionGrad(
    ...a: [
      ...sizes: [batch: Count, tokens: Count, heads: Count, size: Count],
      ...inputs: [dy: Address, qkv: Address, lse: Address, mask: Address],
      ...tables: [scales: Address, cosine: Address, sine: Address, alibi: Address],
      ...out: [dqkv: Address, scratch: Address],
    ]
  ): void;
  headLossScratch(chunk: Count, width: Count, vocabulary: Count): number;
  headLoss(
    ...a: [
      ...sizes: [n: Count, width: Count, vocabulary: Count, chunk: Count],
      ...inputs: [h: Address, w: Address, targets: Address],
      ...out: [nll: Address, lse: Address, scratch: Address],
    ]
  ): void;
  headLossGrad(
    ...a: [
      ...sizes: [n: Count, width: Count, vocabulary: Count, chunk: Count],
      ...inputs: [dy: Address, h: Address, w: Address, targets: Address, lse: Address],
      ...out: [dh: Address, dw: Address, scratch: Address],
    ]
  ): void;
  adamW(
    ...a: [
      ...inputs: [n: Count, p: Address, g: Address, m: Address, v: Address],
      ...constants: [beta1: number, beta2: number, scale: number, epsilon: number, root: number, keep: number],
      ...out: [p1: Address, m1: Address, v1: Address],
    ]
  ): void;
}

interface Loaded {
  readonly kernels: KernelModule;
  readonly fma: boolean;
}
const loaded = new WeakMap<WasmBackend, Loaded>();

/** The kernels that run on this backend's heap. */
export function kernelsOf(backend: WasmBackend): KernelModule {
  const found = loaded.get(backend);
  if (found === undefined)
    throw new EitpError("internal", "the wasm backend was not started by `useBackend`: its kernel module is missing");
  return found.kernels;
}

/**
 * Starts the kernel module on the heap of `backend`; says whether it is the fused build. That one is taken when asked for and valid here: its
 * products are rounded once instead of twice, so bits differ between processors, and a run resumed elsewhere would differ from one that went on.
 * @throws EitpError "unavailable" where the runtime has no 128-bit vectors, or the heap is shared between threads.
 */
export async function loadKernels(backend: WasmBackend, wanted: { readonly fma: boolean }): Promise<{ readonly fma: boolean }> {
  // Kept out of the main bundle: only this backend needs it.
  const { plain, relaxed } = await import("./kernels.generated.ts");
  const fma = wanted.fma && WebAssembly.validate(bytesOf(relaxed));
  if (loaded.get(backend)?.fma === fma) return { fma };
  const { memory } = backend.wasm.asm;
  const bytes = bytesOf(fma ? relaxed : plain);
  if (!WebAssembly.validate(bytes) || !(memory.buffer instanceof ArrayBuffer))
    throw new EitpError(
      "unavailable",
      'backend "wasm" needs 128-bit vector instructions (Node 20.19 or newer, any current browser) and a heap of its own, started by `useBackend`; use backend "cpu".',
    );
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  loaded.set(backend, { kernels: instance.exports as unknown as KernelModule, fma });
  return { fma };
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
