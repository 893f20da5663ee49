import type { Rng } from "@eitp/core/spec";
import { type Counter, counter } from "@eitp/engine/random";

/** The part of a run's generator that data sets use; tensors have no business here. */
export function rngOf(seed: number): Rng {
  return fromCounter(counter(seed));
}
function fromCounter(source: Counter): Rng {
  const noTensors = (): never => {
    throw new Error("data sets draw no tensors");
  };
  return { ...source, fold: (purpose) => fromCounter(source.fold(purpose)), normal: noTensors, mask: noTensors };
}
