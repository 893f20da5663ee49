import type { backend_util, DataType, TensorInfo } from "@tensorflow/tfjs-core";
import type { Arena, Block } from "./arena.ts";

export type NativeValues = Float32Array | Int32Array | Uint8Array;

/**
 * The data of a tensor, and at the same time its data id, so that a kernel reaches it without a look-up. It lies in native memory (`block`), in
 * JavaScript's (`host`: strings, complex numbers, and what a JavaScript kernel made until a native one reads it), never in both.
 */
export class NativeData {
  refCount = 1;
  block: Block | null = null;
  host: backend_util.BackendValues | null = null;
  readonly dtype: DataType;
  /** Elements. */
  readonly size: number;
  /** Set by tfjs' JavaScript kernels for complex numbers. */
  complexTensorInfos?: { real: TensorInfo; imag: TensorInfo };
  readonly #arena: Arena;

  constructor(arena: Arena, dtype: DataType, size: number) {
    this.#arena = arena;
    this.dtype = dtype;
    this.size = size;
  }

  /** What tfjs' JavaScript kernels read: native memory without a copy, valid while the tensor lives. */
  get values(): backend_util.BackendValues | null {
    return this.block === null ? this.host : viewOf(this.#arena, this.block, this.dtype, this.size);
  }

  /** Some of tfjs' kernels replace the values of a tensor they have just made. */
  set values(values: backend_util.BackendValues | null) {
    if (this.block !== null) this.#arena.free(this.block);
    this.block = null;
    this.host = values;
  }
}

/** Bytes of one element. */
export function bytesOf(dtype: DataType): number {
  return dtype === "bool" ? 1 : 4;
}

function viewOf(arena: Arena, block: Block, dtype: DataType, size: number): NativeValues {
  const { buffer, offset } = arena.view(block);
  if (dtype === "int32") return new Int32Array(buffer, offset, size);
  return dtype === "bool" ? new Uint8Array(buffer, offset, size) : new Float32Array(buffer, offset, size);
}

/** `values` in the array type that belongs to `dtype`: tfjs' kernels do not always use it. */
export function typed(values: ArrayLike<number>, dtype: DataType): NativeValues {
  if (dtype === "int32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "bool") return values instanceof Uint8Array ? values : Uint8Array.from(values);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
