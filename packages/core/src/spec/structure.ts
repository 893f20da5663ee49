/** Name of a parameter, and its shape, in the flat record of the model. */
export interface ParamRef {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * One step of a model, as data. From the list of steps follow path norms, MAC and BOP counts, memory estimates, gate and
 * quantiser slots and the model summary; nobody needs to know the model's code.
 * `slot` names a place where a gate (one factor per unit) or a fake quantiser may be inserted.
 */
export type Step =
  /** x = tokens[id] (+ positions[t]); `shift` mixes in the previous token's embedding: x_t + shift ∘ x_{t−1}. */
  | { readonly kind: "embed"; readonly tokens: ParamRef; readonly positions: ParamRef | null; readonly shift: ParamRef | null }
  | { readonly kind: "norm"; readonly name: string; readonly weight: ParamRef; readonly bias: ParamRef; readonly epsilon: number }
  /** y = x·W + b with W stored [from, to] (GPT-2's Conv1D), or [to, from] where `transposed`. */
  | {
      readonly kind: "linear";
      readonly name: string;
      readonly weight: ParamRef;
      readonly bias: ParamRef | null;
      readonly from: number;
      readonly to: number;
      readonly transposed: boolean;
    }
  /** Causal attention over a packed [.., 3·width] query, key, value; one gate per head. */
  | {
      readonly kind: "attention";
      readonly name: string;
      readonly heads: number;
      readonly headWidth: number;
      readonly positions: Positions;
      readonly logN: boolean;
      readonly slot: string;
    }
  | { readonly kind: "activation"; readonly name: string; readonly fn: "gelu-tanh"; readonly width: number; readonly slot: string }
  /** x + f(x) */
  | { readonly kind: "residual"; readonly name: string; readonly steps: readonly Step[] }
  | { readonly kind: "head"; readonly weight: ParamRef; readonly tied: boolean };

/** How attention knows where a token stands. "learned" is an embedding (GPT-2); "none" leaves it to the causal mask. */
export type Positions = "learned" | "rotary" | "alibi" | "none";

/** A model as data: its steps in the order of computation, and its sizes. */
export interface Structure {
  readonly steps: readonly Step[];
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** Longest context, or null where nothing limits it. */
  readonly context: number | null;
}
