import { counterRng } from "@eitp/engine";
import { type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import type { AnyController, HostBatch, InitContext, InputMap, Inputs, Need, Params, Saved } from "../spec/index.ts";
import { batchTensors } from "./batch.ts";
import type { TrainerOptions } from "./options.ts";
import { pick } from "./pass.ts";
import { needsOf, type Slot } from "./slots.ts";
import { mapTensors, owned } from "./tree.ts";

/** What one use must remember. */
export type TermMemory = {
  readonly state: Saved;
  readonly own: { readonly count: number; readonly moments: readonly Saved[] };
  /** Last gradient at weight 1, for between: "hold". */
  readonly held: readonly Tensor[];
};
/** Everything that a run must remember, but for the step, the data cursor and the health flag. A tree: saved and restored as one. */
export type TrainerState = {
  readonly params: Params;
  /** Of the optimiser, one state per parameter. */
  readonly moments: readonly Saved[];
  readonly transforms: readonly Saved[];
  readonly terms: { readonly [use: string]: TermMemory };
  readonly controllers: { readonly [name: string]: Saved };
};

/** The state of a run before its first step: a function of the options and the first micro-batch. All tensors are kept. */
export function initialState(options: TrainerOptions, slots: readonly Slot[], first: HostBatch): TrainerState {
  const { model, optimizer, seed } = options;
  const root = counterRng(seed);
  const params = owned(() => model.init(root.fold("parameters")));
  const context = (purpose: string): InitContext => ({
    model: model.shape,
    ...(model.structure !== undefined && { structure: model.structure }),
    batch: first.shape,
    rng: root.fold("init").fold(purpose),
  });
  const terms = owned(() => {
    const inputs = firstInputs(options, slots, params, first);
    return Object.fromEntries(
      slots.map(({ key, term, use }): [string, TermMemory] => {
        const needs = term.init === undefined ? [] : term.needs;
        const given = { ...pick(inputs, needs, key), step: 0, rng: root.fold("init").fold(key), read: {}, weights: {} };
        const made = term.init?.(context(key), given as Inputs<Need>) ?? null;
        const state = apart(made, params);
        const own = term.own;
        const moments = own === undefined ? [] : own.of(state).map((p, i) => own.optimizer.init(p, `${key}/${i}`));
        const held = use.between === "hold" ? Object.values(params).map((p) => zerosLike(p)) : [];
        return [key, { state, own: { count: 0, moments }, held }];
      }),
    );
  });
  return {
    params,
    moments: owned(() => Object.entries(params).map(([name, p]) => optimizer.init(p, name))),
    transforms: owned(() => (options.transforms ?? []).map((t) => apart(t.init(Object.values(params)), params))),
    terms,
    controllers: owned(() => Object.fromEntries(controllersOf(slots).map((c) => [c.name, c.init(context(c.name))]))),
  };
}

/** A state may start at a parameter's value, but not be the parameter: both would be released. */
function apart<S extends Saved>(state: S, params: Params): S {
  const parameters = new Set(Object.values(params));
  return mapTensors(state, (t) => (parameters.has(t) ? t.clone() : t));
}

/** Each controller object once, however many uses share it. */
export function controllersOf(slots: readonly Slot[]): readonly AnyController[] {
  return [...new Set(slots.flatMap((slot) => (slot.controller === null ? [] : [slot.controller])))];
}

/** Inputs of the first micro-batch for the terms that have an `init`, off any tape. */
function firstInputs(options: TrainerOptions, slots: readonly Slot[], params: Params, first: HostBatch): Partial<InputMap> {
  const needs = needsOf(slots.filter((slot) => slot.term.init !== undefined));
  if (needs.size === 0) return {};
  const rng = counterRng(options.seed).fold("init").fold("forward");
  return options.model.apply(params, batchTensors(first), needs, { training: false, rng });
}
