import type { Tensor } from "@tensorflow/tfjs-core";

/**
 * A tree of JSON values and tensors: everything a run must remember is one of these, so every term is resumable by construction.
 * Write states as `type`, not `interface` (an interface has no index signature and is not `Saved`), with a structure that never changes.
 */
export type Saved = null | boolean | number | string | Tensor | readonly Saved[] | { readonly [key: string]: Saved };

/** Flat record of model parameters, keyed by their published (Hugging Face) names. */
export type Params = { readonly [name: string]: Tensor };
