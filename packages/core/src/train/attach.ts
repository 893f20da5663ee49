import { untaped } from "@eitp/engine";
import { engine, type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import type { InitContext, Inputs, LossTerm, Need, Saved } from "../spec/index.ts";
import { checked } from "./pass.ts";
import { adopt, disposeExcept, mapTensors, owned } from "./tree.ts";

/** A term inside somebody else's training loop. */
export interface Attached<N extends Need> {
  /**
   * Call it where the objective is computed: under `minimize`, `variableGrads`, `fit`. The result goes into the objective; own parameters and state
   * move by themselves, once per call under a tape, and stand still outside one.
   * @throws EitpError "usage" where a value is not a float32 scalar.
   */
  loss(inputs: Inputs<N>): Tensor;
  readonly state: Saved;
  /** Releases state and optimiser moments. */
  dispose(): void;
}

/**
 * Puts a term into a user's own loop, on any tfjs model: no trainer, no model of ours.
 * @param first Inputs of the first batch, for terms whose `init` starts at samples.
 * @example
 * ```ts
 * const live = attach(activity(), context, first);
 * optimizer.minimize(() => tf.add(task(), tf.mul(0.1, live.loss(inputs))));
 * ```
 */
export function attach<S extends Saved, N extends Need>(term: LossTerm<S, N>, context: InitContext, first: Inputs<N>): Attached<N> {
  let state = owned((): S => term.init?.(context, first) ?? (null as S));
  let count = 0;
  const own = term.own;
  let moments = owned((): readonly Saved[] => own?.of(state).map((p, i) => own.optimizer.init(p, `${term.name}/${i}`)) ?? []);

  const move = (value: ReturnType<typeof term.evaluate>, step: number): void => {
    let next: S = value.next === undefined ? state : mapTensors(value.next, (t) => t.clone());
    if (own !== undefined && value.own !== undefined) {
      const objective = value.own;
      const before = own.of(state);
      const gradients = engine().gradients(() => objective, [...before], undefined, true).grads as (Tensor | null)[];
      count++;
      const xs = own.of(next);
      const moved = xs.map((x, i) =>
        own.optimizer.step(x, gradients[i] ?? zerosLike(x), moments[i] ?? null, { count, step, name: `${term.name}/${i}` }),
      );
      const to = new Map(xs.map((x, i) => [x, moved[i]?.parameter]));
      const proposed = next;
      next = mapTensors(next, (t) => to.get(t) ?? t);
      disposeExcept(proposed, next, state);
      moments = adopt(
        moments,
        moved.map((m) => m.state),
      );
    }
    if (term.update !== undefined) next = term.update({ step, features: { ...value.features, loss: value.loss } }, next);
    state = adopt(state, next);
  };
  return {
    get state() {
      return state;
    },
    loss: (inputs) => {
      const value = checked(term.name, term.evaluate(inputs, state));
      if (engine().state.gradientDepth > 0) untaped(() => move(value, inputs.step));
      return value.loss;
    },
    dispose: () => {
      disposeExcept(state);
      disposeExcept(moments);
    },
  };
}
