import { sgd } from "../../optim/index.ts";
import type { AnyLossTerm, AnyOptimizer } from "../../spec/index.ts";
import { tensorsOf } from "../../train/tree.ts";
import { type Bench, run } from "../bench.ts";
import { must } from "../law.ts";
import { bitsOf, firstDifference } from "../read.ts";

const steps = 3;

/**
 * Own parameters are tensors of the state (so they are saved), they learn even at weight 0, and only through `own`: neither the loss, nor
 * `next`, nor `update` moves them.
 */
export async function ownParametersMoveByOwnAlone(bench: Bench): Promise<void> {
  const term = bench.make();
  const { own } = term;
  if (own === undefined) return;
  const parametersAfter = async (weight: number, optimizer: AnyOptimizer, count: number) => {
    const replaced: AnyLossTerm = { ...bench.make(), own: { ...own, optimizer } };
    // The model stands still, so that own parameters see the same inputs at every weight.
    const trainer = await run(await bench.trainer({ term: replaced, weight, optimizer: sgd({ learningRate: 0 }) }), count);
    const state = trainer.stateOf(bench.name);
    const inState = new Set(tensorsOf(state).map(([, t]) => t));
    const parameters = own.of(state);
    must(parameters.length > 0, "`own.of` returns no tensor; leave `own` out");
    must(
      parameters.every((p) => inState.has(p)),
      "`own.of` returns tensors that are not entries of the state: they would be neither saved nor trained",
    );
    return bitsOf(parameters);
  };
  const start = await parametersAfter(0, own.optimizer, 0);
  const idle = await parametersAfter(0, own.optimizer, steps);
  must(
    firstDifference(start, idle) !== null,
    `own parameters have not moved after ${steps} steps at weight 0; does \`own\` depend on them?`,
  );
  const frozen: AnyOptimizer = { name: "frozen", init: () => null, step: (parameter, _gradient, state) => ({ parameter, state }) };
  const moved = firstDifference(start, await parametersAfter(1, frozen, steps));
  must(
    moved === null,
    `own parameter ${moved} moves although its optimiser stands still; \`next\` and \`update\` must return it unchanged`,
  );
  const weighted = firstDifference(idle, await parametersAfter(1, own.optimizer, steps));
  must(weighted === null, `own parameter ${weighted} learns otherwise at weight 1 than at weight 0; only \`own\` may move it`);
}
