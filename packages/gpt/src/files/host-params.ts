import type { Params } from "@eitp/core/spec";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";

/** A float32 array with its shape, row-major. */
export interface HostParam {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
/** Model parameters off the device, under the same names as {@link Params}: what files hold. */
export type HostParams = { readonly [name: string]: HostParam };

/** Copies parameters to the host; reads asynchronously. */
export async function toHostParams(params: Params): Promise<HostParams> {
  const entries = Object.entries(params).map(
    async ([name, value]): Promise<[string, HostParam]> => [name, { shape: [...value.shape], data: Float32Array.from(await value.data()) }],
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Copies parameters to the device; the caller disposes them. */
export function toParams(host: HostParams): Params {
  const entries = Object.entries(host).map(([name, { shape, data }]): [string, Tensor] => [
    name,
    tensor(data.slice(), [...shape], "float32"),
  ]);
  return Object.fromEntries(entries);
}
