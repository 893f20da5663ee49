import { mean, mul, square, type Tensor } from "@tensorflow/tfjs-core";
import { lossTerm, type TermUse } from "../../spec/index.ts";
import { type Bench, run } from "../bench.ts";
import { must } from "../law.ts";
import { bitsOf, firstDifference } from "../read.ts";

const steps = 6;

/** A weight of 0 on the host and no term at all train the model to the same bits. */
export async function weightZeroIsAbsence(bench: Bench): Promise<void> {
  const zero = await run(await bench.trainer({ weight: 0 }), steps);
  const absent = await run(await bench.trainer({ company: "absent" }), steps);
  const different = firstDifference(await bitsOf(zero.params), await bitsOf(absent.params));
  must(different === null, `with weight 0 parameter '${different}' differs from a run without the term after ${steps} steps`);
}

/** The list of uses is a set. */
export async function orderDoesNotMatter(bench: Bench): Promise<void> {
  const forward = await run(await bench.trainer({ arrange: (uses) => [...uses, ...moments] }), steps);
  const backward = await run(await bench.trainer({ arrange: (uses) => [...uses, ...moments].reverse() }), steps);
  const different = firstDifference(await bitsOf(forward.params), await bitsOf(backward.params));
  must(different === null, `with the uses listed in reverse, parameter '${different}' differs after ${steps} steps`);
}
/** Two gradients commute and cross-entropy's always comes last out of the model: it takes three more on one tensor to tell an order. */
const moments: readonly TermUse[] = [
  (h: Tensor) => mean(square(h)),
  (h: Tensor) => mean(mul(square(h), h)),
  (h: Tensor) => mean(square(square(h))),
].map((moment, i) => ({
  term: lossTerm({
    name: `reference-moment-${i + 2}`,
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden }) => ({ loss: moment(hidden[hidden.length - 1] ?? hidden[0]) }),
  }),
  weight: 0.05,
}));

/** Two equal runs are equal, parameters and term state. */
export async function sameSeedSameBits(bench: Bench): Promise<void> {
  const [a, b] = [await run(await bench.trainer(), steps), await run(await bench.trainer(), steps)];
  const different = firstDifference(await bitsOf(both(a)), await bitsOf(both(b)));
  must(different === null, `two runs with one seed differ at '${different}' after ${steps} steps`);

  function both(trainer: typeof a): { readonly params: typeof a.params; readonly state: ReturnType<typeof a.stateOf> } {
    return { params: trainer.params, state: trainer.stateOf(bench.name) };
  }
}

/** Five steps, save, load into a new trainer with a new term, four more: as nine without a stop, to the bit. */
export async function resumedIsUninterrupted(bench: Bench): Promise<void> {
  const straight = await run(await bench.trainer(), 9);
  const first = await run(await bench.trainer(), 5);
  const saved = await first.save();
  // Goes on after saving, as a run does: what is shared between term objects would show.
  await run(first, 1);
  const second = await bench.trainer();
  second.load(saved);
  await run(second, 4);
  const weights = firstDifference(await bitsOf(straight.params), await bitsOf(second.params));
  must(
    weights === null,
    `after save and load parameter '${weights}' differs from the run that never stopped; is something kept outside the state?`,
  );
  const state = firstDifference(await bitsOf(straight.stateOf(bench.name)), await bitsOf(second.stateOf(bench.name)));
  must(state === null, `after save and load the state differs at '${state}'; is something kept outside the state?`);
}
