import {
  type DataId,
  type DataType,
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { assert } from "../../error.ts";

/** What of tfjs' wasm backend (4.22) the kernels here rely on: its heap, and how tensors are placed on it. */
export interface WasmBackend {
  readonly wasm: {
    _malloc(bytes: number): number;
    _free(at: number): void;
    readonly asm: { readonly memory: WebAssembly.Memory };
  };
  readonly dataIdMap: { get(id: DataId): { readonly id: number; readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): Float32Array | Int32Array | Uint8Array;
  disposeData(id: DataId): boolean;
  incRef(id: DataId): void;
}

/** Inputs, attributes and backend of a kernel call, as tfjs hands them over. */
export type KernelCall<Inputs, Attributes> = { readonly inputs: Inputs; readonly attrs: Attributes; readonly backend: WasmBackend };

/** A kernel in this folder's types. */
export type WasmKernel<Inputs, Attributes, Result = TensorInfo> = (call: KernelCall<Inputs, Attributes>) => Result;

/** The registered kernel of that name, to be called from inside another one; what it returns is disposed by the caller. */
export function kernel<Inputs, Attributes>(name: string): WasmKernel<Inputs, Attributes> {
  const config = getKernel(name, "wasm");
  assert(config !== undefined, `the wasm backend has no kernel ${name}`);
  return config.kernelFunc as unknown as WasmKernel<Inputs, Attributes>;
}

/** Puts a kernel in the place of the stock one, which it gets as `stock`. */
export function replaceKernel<Inputs, Attributes, Result = TensorInfo>(
  name: string,
  make: (stock: WasmKernel<Inputs, Attributes, Result>) => WasmKernel<Inputs, Attributes, Result>,
): void {
  const config = getKernel(name, "wasm");
  assert(config !== undefined, `the wasm backend has no kernel ${name}`);
  unregisterKernel(name, "wasm");
  const stock = config.kernelFunc as unknown as WasmKernel<Inputs, Attributes, Result>;
  registerKernel({ ...config, kernelFunc: make(stock) as unknown as KernelFunc });
}

/** Adds a kernel the stock backend lacks. */
export function addKernel<Inputs, Attributes, Result = TensorInfo>(name: string, make: WasmKernel<Inputs, Attributes, Result>): void {
  registerKernel({ kernelName: name, backendName: "wasm", kernelFunc: make as unknown as KernelFunc });
}

/** Address of a tensor on the heap, in bytes. */
export const addressOf = (backend: WasmBackend, x: TensorInfo): number => backend.dataIdMap.get(x.dataId).memoryOffset;
