import { memory, Tensor, tidy } from "@tensorflow/tfjs-core";
import type { Inputs, Need } from "../../spec/index.ts";
import { type Bench, run } from "../bench.ts";
import { must } from "../law.ts";

/** The number of live tensors is the same at equal phase of all cadences: here, of a ledger every second step. */
export async function noTensorIsLeft(bench: Bench): Promise<void> {
  const trainer = await run(await bench.trainer({ more: { ledgerEvery: 2 } }), 4);
  const before = memory().numTensors;
  await run(trainer, 4);
  const more = memory().numTensors - before;
  must(
    more === 0,
    `${more} tensors more after 4 further steps; whatever \`keep\`s a tensor or stores one outside the state must dispose it`,
  );
}

/** No `dataSync` or `arraySync` in a step: it would stall the device, and it does not exist on every backend. */
export async function nothingIsReadSynchronously(bench: Bench): Promise<void> {
  const trainer = await run(await bench.trainer(), 1);
  // Not the backend's `readSync`: wasm kernels call that themselves.
  const original = Tensor.prototype.dataSync;
  let reads = 0;
  Tensor.prototype.dataSync = function counted(this: Tensor): ReturnType<typeof original> {
    reads++;
    return original.call(this);
  } as typeof original;
  try {
    await run(trainer, 2);
  } finally {
    Tensor.prototype.dataSync = original;
  }
  must(reads === 0, `${reads} synchronous reads in 2 steps; keep values on the device and return them as \`metrics\``);
}

/** `init` and `evaluate` look at nothing but what `needs` and `reads` declare, the step and the random numbers. */
export async function onlyDeclaredInputsAreRead(bench: Bench): Promise<void> {
  const { term, begin, evaluate } = bench.scene();
  const allowed = new Set<string>(["step", "rng", ...term.needs, ...(term.reads === undefined ? [] : ["read", "weights"])]);
  const undeclared = new Set<string>();
  const watched = (inputs: Inputs<Need>): Inputs<Need> =>
    new Proxy(inputs, {
      get: (target, key) => {
        if (typeof key === "string" && !allowed.has(key)) undeclared.add(key);
        return key === "read" ? watchedRead(target.read, new Set(term.reads), undeclared) : Reflect.get(target, key);
      },
      has: (target, key) => {
        if (typeof key === "string" && !allowed.has(key)) undeclared.add(key);
        return Reflect.has(target, key);
      },
    });
  let failure: unknown = null;
  tidy(() => {
    try {
      begin(watched);
      evaluate({ seen: watched });
    } catch (error) {
      failure = error;
    }
  });
  const names = [...undeclared].map((name) => `'${name}'`).join(", ");
  must(undeclared.size === 0, `reads ${names} without declaring it in \`needs\` or \`reads\``);
  if (failure !== null) throw failure;
}

function watchedRead(read: Inputs<Need>["read"], declared: ReadonlySet<string>, undeclared: Set<string>): Inputs<Need>["read"] {
  return new Proxy(read, {
    get: (target, key) => {
      if (typeof key === "string" && !declared.has(key)) undeclared.add(key);
      return Reflect.get(target, key);
    },
  });
}
