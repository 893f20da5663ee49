import { type DataType, getKernel, type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from "@tensorflow/tfjs-core";
import type { NativeBackend } from "../backend.ts";

export const backendName = "native";

/** Inputs, attributes and backend of a kernel call, as tfjs hands them over. */
export interface Call<Inputs, Attributes = object> {
  readonly inputs: Inputs;
  readonly attrs: Attributes;
  readonly backend: NativeBackend;
}
export type Native<Inputs, Attributes = object, Result = TensorInfo> = (call: Call<Inputs, Attributes>) => Result;

/** Puts a kernel in the place of the JavaScript one, which it gets as `stock` for the forms it does not cover. */
export function replace<Inputs, Attributes = object, Result = TensorInfo>(
  kernelName: string,
  make: (stock: Native<Inputs, Attributes, Result>) => Native<Inputs, Attributes, Result>,
): void {
  const stock = getKernel(kernelName, backendName)?.kernelFunc as unknown as Native<Inputs, Attributes, Result> | undefined;
  if (stock !== undefined) unregisterKernel(kernelName, backendName);
  const missing = (): never => {
    throw new Error(`kernel ${kernelName} has no JavaScript form`);
  };
  registerKernel({ kernelName, backendName, kernelFunc: make(stock ?? missing) as unknown as KernelFunc });
}

/** Adds a kernel that JavaScript does not have. */
export function define<Inputs, Attributes = object, Result = TensorInfo>(
  kernelName: string,
  kernel: Native<Inputs, Attributes, Result>,
): void {
  replace<Inputs, Attributes, Result>(kernelName, () => kernel);
}

/** Whether all are float32. */
export function areFloats(...tensors: readonly TensorInfo[]): boolean {
  return tensors.every(({ dtype }) => dtype === "float32");
}

/** As the C++ side numbers them. */
export const typeNumbers: Readonly<Partial<Record<DataType, number>>> = { float32: 0, int32: 1, bool: 2 };
