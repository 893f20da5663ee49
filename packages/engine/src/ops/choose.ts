import { engine, getBackend, getKernel, type KernelFunc, registerKernel, type Tensor, type TensorInfo, where } from "@tensorflow/tfjs-core";

const kernelName = "EitChoose";

/**
 * `yes` where the rank-0 bool `flag` is true, else `no`; same shape and dtype. For guards: where the device is this machine's memory (cpu, wasm) it
 * shares the chosen tensor's data and costs nothing, else it is `tf.where`. Carries no gradient: call it off the tape.
 */
export function choose<T extends Tensor>(flag: Tensor, yes: T, no: T): T {
  if (getKernel(kernelName, getBackend()) === undefined) return where(flag, yes, no);
  return engine().runKernel(kernelName, { flag, yes, no }) as unknown as T;
}

interface Sharing {
  incRef(id: object): void;
}
interface CpuBackend extends Sharing {
  readonly data: { get(id: object): { readonly values: ArrayLike<number> } };
}
interface WasmBackend extends Sharing {
  typedArrayFromHeap(info: TensorInfo): ArrayLike<number>;
}
type Call<B> = { readonly inputs: { readonly flag: TensorInfo; readonly yes: TensorInfo; readonly no: TensorInfo }; readonly backend: B };

/** Registers the kernel for the backends whose tensors lie in this machine's memory. Idempotent. */
export function registerChoose(): void {
  register<CpuBackend>("cpu", (backend, flag) => backend.data.get(flag.dataId).values[0] !== 0);
  register<WasmBackend>("wasm", (backend, flag) => backend.typedArrayFromHeap(flag)[0] !== 0);
}

function register<B extends Sharing>(backendName: string, isTrue: (backend: B, flag: TensorInfo) => boolean): void {
  if (getKernel(kernelName, backendName) !== undefined) return;
  const kernelFunc = ({ inputs: { flag, yes, no }, backend }: Call<B>): TensorInfo => {
    const { dataId, shape, dtype } = isTrue(backend, flag) ? yes : no;
    backend.incRef(dataId);
    return { dataId, shape, dtype };
  };
  registerKernel({ kernelName, backendName, kernelFunc: kernelFunc as unknown as KernelFunc });
}
