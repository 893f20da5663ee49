import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { InputMap, Need } from "./inputs.ts";
import type { Rng } from "./rng.ts";
import type { Params } from "./saved.ts";
import type { Structure } from "./structure.ts";

/** Sizes of a model: what a term needs to make its state. `params` holds the shape of every parameter. */
export interface ModelShape {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly params: { readonly [name: string]: readonly number[] };
}
/** One micro-batch on the device: B sequences of T tokens. */
export interface ModelBatch {
  /** [B, T] int32. */
  readonly tokens: Tensor2D;
  /** [B, T] int32, −1 = ignore. */
  readonly targets: Tensor2D;
}
/** `rng` is keyed by (seed, step, micro-batch); a model draws its dropout masks from it, and only when `training`. */
export interface Forward {
  readonly training: boolean;
  readonly rng: Rng;
}

/** A model is data (shapes, structure) and pure functions over a flat parameter record. */
export interface Model {
  readonly shape: ModelShape;
  /** What `apply` can compute. */
  readonly supplies: readonly Need[];
  readonly structure?: Structure;
  /** Fresh parameters; the caller disposes them. */
  init(rng: Rng): Params;
  /** On the tape. Computes what is asked for and nothing else; deterministic. */
  apply(params: Params, batch: ModelBatch, needs: ReadonlySet<Need>, forward: Forward): Partial<InputMap>;
}
