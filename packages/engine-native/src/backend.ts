import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { type backend_util, type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Addon } from "./addon.ts";
import { Arena, outOfMemory } from "./arena.ts";
import { bytesOf, NativeData, type NativeValues, typed } from "./data.ts";

/**
 * tfjs' JavaScript backend with tensors in native memory. Kernels that have no native form run as they are, on views; a tensor they make is
 * copied in when a native kernel first reads it.
 */
export class NativeBackend extends MathBackendCPU {
  readonly arena: Arena;
  readonly #addon: Addon;
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(addon: Addon, options: { readonly exact: boolean }) {
    super();
    this.#addon = addon;
    this.arena = new Arena(addon, options.exact);
    this.#numbers = new Map(addon.kernels.map((name, i) => [name, i]));
  }

  /** The number of a kernel. */
  numberOf(kernel: string): number {
    const found = this.#numbers.get(kernel);
    util.assert(found !== undefined, () => `the addon has no kernel ${kernel}`);
    return found as number;
  }

  /** Runs a kernel: 0, or 1 + the place of an index that is out of range. */
  call(kernel: number, ...values: readonly number[]): number {
    this.#addon.frame.set(values);
    const result = this.#addon.run(kernel);
    if (result < 0) throw outOfMemory(0, this.arena.live);
    return result;
  }

  /** A new tensor with undefined contents. */
  output(shape: readonly number[], dtype: DataType): TensorInfo {
    const size = util.sizeFromShape(shape as number[]);
    const data = new NativeData(this.arena, dtype, size);
    data.block = this.arena.allocate(size * bytesOf(dtype));
    this.#adopt(data);
    return { dataId: data, shape: shape as number[], dtype };
  }

  /** Where a tensor lies in native memory; it is brought there if it does not. */
  address(info: TensorInfo): number {
    const known = info.dataId;
    if (known instanceof NativeData && known.block !== null) return known.block.address;
    return this.#bring(info);
  }

  #bring(info: TensorInfo): number {
    // Also brings what lies in another backend.
    const data = this.#dataOf(info.dataId);
    if (data.block !== null) return data.block.address;
    util.assert(data.host !== null, () => `a tensor of [${info.shape}] has been disposed`);
    const values = typed(data.host as NativeValues, data.dtype);
    const block = this.arena.allocate(values.byteLength);
    this.#addon.copy(block.address, values, true);
    data.block = block;
    data.host = null;
    return block.address;
  }

  /** One element of a small tensor. */
  first(info: TensorInfo): number {
    return (this.#dataOf(info.dataId).values as NativeValues)[0] as number;
  }

  override write(values: backend_util.BackendValues, shape: number[], dtype: DataType): object {
    const data = new NativeData(this.arena, dtype, util.sizeFromShape(shape));
    if (dtype === "string" || dtype === "complex64" || values === null) {
      data.host = values;
    } else {
      // Copied now: the caller may change his array later.
      const from = typed(values as NativeValues, dtype);
      data.block = this.arena.allocate(from.byteLength);
      this.#addon.copy(data.block.address, from, true);
    }
    return this.#adopt(data);
  }

  override makeTensorInfo(shape: number[], dtype: DataType, values?: backend_util.BackendValues | string[]): TensorInfo {
    if (dtype === "string") return super.makeTensorInfo(shape, dtype, values);
    const data = new NativeData(this.arena, dtype, util.sizeFromShape(shape));
    // Not copied yet: JavaScript kernels may still fill the array, or be the only ones to read it.
    data.host = (values ?? null) as backend_util.BackendValues | null;
    return { dataId: this.#adopt(data), shape, dtype };
  }

  override move(dataId: object, values: backend_util.BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    const data = new NativeData(this.arena, dtype, util.sizeFromShape(shape));
    data.host = values;
    data.refCount = refCount;
    this.data.set(dataId, data as never);
  }

  override incRef(dataId: object): void {
    this.#dataOf(dataId).refCount++;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const data = this.#dataOf(dataId);
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    if (data.complexTensorInfos !== undefined) {
      this.disposeData(data.complexTensorInfos.real.dataId, true);
      this.disposeData(data.complexTensorInfos.imag.dataId, true);
    }
    data.values = null;
    this.data.delete(dataId);
    return true;
  }

  /** Copies: what a caller holds must survive the tensor. */
  override readSync(dataId: object): backend_util.BackendValues {
    const data = this.#dataOf(dataId);
    if (data.block === null) return super.readSync(dataId);
    const { size, dtype } = data;
    const out = dtype === "int32" ? new Int32Array(size) : dtype === "bool" ? new Uint8Array(size) : new Float32Array(size);
    this.#addon.copy(data.block.address, out, false);
    return out;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  #adopt(data: NativeData): NativeData {
    this.data.set(data, data as never);
    return data;
  }

  #dataOf(dataId: object): NativeData {
    return this.data.get(dataId) as unknown as NativeData;
  }
}
