import { counterRng } from "@eitp/engine";
import { dispose, scalar, type Tensor } from "@tensorflow/tfjs-core";
import type {
  AnyLossTerm,
  BatchShape,
  InitContext,
  InputMap,
  Inputs,
  Model,
  Need,
  Params,
  Saved,
  TermUse,
  TermValue,
} from "../spec/index.ts";
import { batchTensors } from "../train/batch.ts";
import { pick } from "../train/pass.ts";
import { keyOf } from "../train/slots.ts";
import { mapTensors, owned, tensorsOf } from "../train/tree.ts";
import { chainBatch } from "./data.ts";

/** The term under test at one set of arguments, without a trainer. */
export interface Scene {
  readonly term: AnyLossTerm;
  readonly params: Params;
  /** What `init` made; kept. */
  readonly state: Saved;
  /** A fresh state from the same arguments, inside the caller's tidy. */
  begin(seen?: See): Saved;
  /** The term's value, on the tape if there is one, inside the caller's tidy; at other parameters or another state on request. */
  evaluate(at?: { readonly params?: Params; readonly state?: Saved; readonly seen?: See }): TermValue;
  readonly context: InitContext;
  dispose(): void;
}
/** Wraps what the term is given. */
type See = (inputs: Inputs<Need>) => Inputs<Need>;

export interface SceneOptions {
  readonly term: AnyLossTerm;
  /** Uses that the term reads, in an order in which each finds what it reads. */
  readonly beside: readonly TermUse[];
  readonly model: Model;
  readonly batch: BatchShape;
  readonly seed: number;
}

export function scene({ term, beside, model, batch, seed }: SceneOptions): Scene {
  const root = counterRng(seed);
  const host = chainBatch(model.shape.vocabulary, batch, 0);
  const params = owned(() => model.init(root.fold("parameters")));
  const supply = (at: Params, needs: readonly Need[], training: boolean): Partial<InputMap> =>
    model.apply(at, batchTensors(host), new Set(needs), { training, rng: root.fold("model") });
  const given = (inputs: Partial<InputMap>, t: AnyLossTerm, key: string, more: Pick<Inputs<Need>, "read" | "weights">): Inputs<Need> =>
    ({ ...pick(inputs, t.needs, key), step: 0, rng: root.fold("step").fold(key), ...more }) as Inputs<Need>;

  const contextOf = (key: string): InitContext => ({
    model: model.shape,
    ...(model.structure !== undefined && { structure: model.structure }),
    batch,
    rng: root.fold("init").fold(key),
  });
  const begin = (t: AnyLossTerm, key: string, seen: See = unchanged): Saved => {
    if (t.init === undefined) return null;
    const made = t.init(contextOf(key), seen(given(supply(params, t.needs, false), t, key, { read: {}, weights: {} })));
    const parameters = new Set(Object.values(params));
    // As in the trainer: a state may start at a parameter's value, but not be the parameter.
    return mapTensors(made, (x) => (parameters.has(x) ? x.clone() : x));
  };
  const others = beside.map((use) => ({ use, key: keyOf(use), state: owned(() => begin(use.term, keyOf(use))) }));
  const state = owned(() => begin(term, term.name));

  return {
    term,
    params,
    state,
    context: contextOf(term.name),
    begin: (seen) => begin(term, term.name, seen),
    evaluate: ({ params: at = params, state: from = state, seen = unchanged } = {}) => {
      const inputs = supply(at, [...term.needs, ...beside.flatMap((use) => use.term.needs)], true);
      const quantities: { [key: string]: Tensor } = {};
      const weights = {
        [term.name]: scalar(1),
        ...Object.fromEntries(others.map(({ use, key }) => [key, scalar(typeof use.weight === "number" ? use.weight : 1)])),
      };
      const more = (t: AnyLossTerm): Pick<Inputs<Need>, "read" | "weights"> =>
        t.reads === undefined ? { read: {}, weights: {} } : { read: only(quantities, t.reads), weights };
      for (const { use, key, state: s } of others) {
        const value = use.term.evaluate(given(inputs, use.term, key, more(use.term)), s);
        for (const [name, t] of Object.entries(value.quantities ?? {})) quantities[`${key}.${name}`] = t;
      }
      return term.evaluate(seen(given(inputs, term, term.name, more(term))), from);
    },
    dispose: () => dispose([params, state, ...others.map((o) => o.state)].flatMap((tree) => tensorsOf(tree).map(([, t]) => t))),
  };
}

const unchanged: See = (inputs) => inputs;
function only(quantities: { readonly [key: string]: Tensor }, names: readonly string[]): { readonly [key: string]: Tensor } {
  return Object.fromEntries(Object.entries(quantities).filter(([name]) => names.includes(name)));
}
