import {
  abs,
  addN,
  cast,
  customGrad,
  div,
  greaterEqual,
  keep,
  log,
  matMul,
  mean,
  mul,
  neg,
  relu,
  reshape,
  scalar,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { sgd } from "../../src/optim/index.ts";
import { type AnyLossTerm, lossTerm, type TermUse } from "../../src/spec/index.ts";
import type { LawOptions } from "../../src/testing/index.ts";
import { createTrainer } from "../../src/train/trainer.ts";
import { costedGrowth } from "./contract.ts";
import { activity, density, l1 } from "./terms.ts";

/** A wrong term (or a right one in a wrong trainer), and what the law it breaks says about it. */
export type Wrong = readonly [make: () => AnyLossTerm, reason: string, options?: LawOptions];

const plain = { name: "wrong", units: "1", scope: "tokens", needs: ["hidden"] } as const;
const own = { optimizer: sgd({ learningRate: 0.1 }) };

const withLoss =
  (f: (hidden: Tensor) => Tensor, layer = 0): (() => AnyLossTerm) =>
  () =>
    lossTerm({ ...plain, evaluate: ({ hidden }) => ({ loss: f(hidden[layer] ?? hidden[0]) }) });
/** A term with a counter in its closure, new with each term. */
const counting =
  (build: (next: () => number) => AnyLossTerm): (() => AnyLossTerm) =>
  () => {
    let n = 0;
    return build(() => ++n);
  };
const wrongTrainer = (change: (use: TermUse, index: number) => TermUse): LawOptions => ({
  trainer: (options) => createTrainer({ ...options, terms: options.terms.map(change) }),
});
const rows = (hidden: Tensor): Tensor2D => reshape(hidden, [-1, hidden.shape.at(-1) ?? 1]);
/** mean x² with the gradient of 2·mean x². */
function doubled(x: Tensor): Tensor {
  const f = customGrad((...args) => {
    const [t, save] = args as unknown as [Tensor, (saved: Tensor[]) => void];
    save([t]);
    return { value: mean(square(t)), gradFunc: (dy: Tensor, [saved]: Tensor[]) => mul(mul(saved ?? t, dy), 4 / t.size) };
  });
  return f(x);
}
/** Σ (xxᵀ)²: N²·D multiply–accumulates forward and 2·N²·D backward, N tokens of width D. */
const gram = withLoss((h) => mean(square(matMul(rows(h), rows(h), false, true))));
const madeBefore = { count: 0 };

/** For every law, what breaks it. */
export const wrongTerms: { readonly [law: string]: { readonly [what: string]: Wrong } } = {
  "everything it returns is a finite scalar": {
    "a vector": [withLoss((h) => mean(square(h), [0, 1])), "loss has shape [8]"],
    "an integer": [withLoss((h) => cast(mean(h), "int32")), "dtype int32"],
    "a loss that is NaN": [withLoss((h) => log(neg(mean(square(h))))), "loss is NaN"],
    "a metric that is infinite": [
      () => lossTerm({ ...plain, evaluate: ({ hidden }) => ({ loss: mean(hidden[0]), metrics: { ratio: div(scalar(1), 0) } }) }),
      "metrics.ratio is Infinity",
    ],
  },

  "only declared inputs are read": {
    "an input it does not need": [
      () => ({ ...activity(), evaluate: ({ hidden, logits }) => ({ loss: mean(logits ?? hidden[0]) }) }) satisfies AnyLossTerm,
      "reads 'logits'",
    ],
    "a quantity it does not read": [
      () => ({ ...activity(), reads: [], evaluate: ({ hidden, read }) => ({ loss: mul(mean(hidden[0]), read["density.entropy"] ?? 1) }) }),
      "reads 'density.entropy'",
    ],
    "an input of `init`": [
      () => ({ ...activity(), init: (_context, { tokens }) => ({ start: tokens ?? scalar(0) }) }) satisfies AnyLossTerm,
      "reads 'tokens'",
    ],
  },

  "same arguments, same bits": {
    "a counter in `evaluate`": [
      counting((next) => lossTerm({ ...plain, evaluate: ({ hidden }) => ({ loss: mul(mean(hidden[0]), next()) }) })),
      "`evaluate` called twice",
    ],
    "a counter in `init`": [
      counting((next) => lossTerm({ ...plain, init: () => ({ n: next() }), evaluate: ({ hidden }) => ({ loss: mean(hidden[0]) }) })),
      "`init` called twice",
    ],
    "a counter in `update`": [
      counting((next) =>
        lossTerm({
          ...plain,
          init: () => ({ n: 0 }),
          evaluate: ({ hidden }) => ({ loss: mean(hidden[0]) }),
          update: () => ({ n: next() }),
        }),
      ),
      "`update` called twice",
    ],
  },

  "the gradient is the derivative of the value": {
    "twice the gradient": [withLoss(doubled, 1), "the gradient of `loss` at "],
    "|w| by `abs`, whose gradient at 0 is −1": [
      () => ({ ...l1(), evaluate: ({ params }) => ({ loss: addN(Object.values(params).map((w) => mean(abs(w)))) }) }),
      ".bias' is off by",
    ],
    "an own objective with a wrong gradient": [
      () =>
        lossTerm({
          ...plain,
          init: () => ({ w: scalar(1) }),
          own: { ...own, of: ({ w }) => [w] },
          evaluate: ({ hidden }, { w }) => ({ loss: mean(hidden[0]), own: doubled(w) }),
        }),
      "the gradient of `own` at 'own/0'",
    ],
    "own parameters without an objective": [
      () =>
        lossTerm({
          ...plain,
          init: () => ({ w: scalar(1) }),
          own: { ...own, of: ({ w }) => [w] },
          evaluate: ({ hidden }) => ({ loss: mean(hidden[0]) }),
        }),
      "returns no `own` objective",
    ],
    "a surrogate without a reason": [() => ({ ...activity(), surrogate: " " }), "`surrogate` is empty"],
    "a term that does not act": [withLoss((h) => relu(sub(mean(square(h)), 100))), "does not depend on any parameter"],
  },

  "own parameters are in the state and move by `own` alone": {
    "parameters outside the state": [
      () => {
        const outside = scalar(0.5);
        return lossTerm({
          ...plain,
          own: { ...own, of: () => [outside] },
          evaluate: ({ hidden }) => ({ loss: mean(hidden[0]), own: square(outside) }),
        });
      },
      "not entries of the state",
    ],
    "no parameters": [() => ({ ...density(), own: { ...own, of: () => [] } }), "returns no tensor"],
    "an objective that does not depend on them": [
      () => ({ ...density(), evaluate: ({ hidden }) => ({ loss: mean(hidden[0]), own: mean(hidden[0]) }) }),
      "have not moved",
    ],
    "an `update` that moves them": [
      () =>
        lossTerm({
          ...plain,
          init: (): { w: Tensor } => ({ w: scalar(1) }),
          own: { ...own, of: ({ w }) => [w] },
          evaluate: ({ hidden }, { w }) => ({ loss: mean(hidden[0]), own: square(w) }),
          update: (_report, { w }) => ({ w: mul(w, 0.9) }),
        }),
      "although its optimiser stands still",
    ],
  },

  "the state keeps its structure": {
    "a list that grows": [
      () =>
        lossTerm({
          ...plain,
          init: () => ({ seen: [scalar(0)] }),
          evaluate: ({ hidden }) => ({ loss: mean(hidden[0]) }),
          update: (_report, { seen }) => ({ seen: [...seen, scalar(1)] }),
        }),
      "after step 1 the state is {seen:(0:float32[],1:float32[])}",
    ],
    "a shape that changes": [
      () =>
        lossTerm({
          ...plain,
          init: (): { x: Tensor } => ({ x: scalar(0) }),
          evaluate: ({ hidden }) => ({ loss: mean(hidden[0]), next: { x: mean(hidden[0], 0) } }),
        }),
      "state",
    ],
  },

  "weight 0 is absence, to the bit": {
    "a trainer for which 0 is merely small": [
      activity,
      "with weight 0 parameter",
      wrongTrainer((use) => (use.weight === 0 ? { ...use, weight: 1e-4 } : use)),
    ],
  },

  "the order of terms does not matter": {
    "a trainer that adds in the order of the list": [
      activity,
      "listed in reverse",
      wrongTrainer((use, index) => ({ ...use, name: `${index}-${use.name ?? use.term.name}` })),
    ],
  },

  "same seed, same bits": {
    "a term that is never made twice alike": [
      () => {
        const n = ++madeBefore.count;
        return lossTerm({ ...plain, evaluate: ({ hidden }) => ({ loss: mul(mean(hidden[0]), n) }) });
      },
      "two runs with one seed differ at 'params/",
    ],
  },

  "save, load, go on = never stopped": {
    "a state in a closure": [
      counting((next) => lossTerm({ ...plain, evaluate: ({ hidden }) => ({ loss: mul(mean(square(hidden[0])), next()) }) })),
      "is something kept outside the state?",
    ],
  },

  "no tensor is left behind": {
    "a kept tensor": [withLoss((h) => mean(keep(square(h)))), "4 tensors more after 4 further steps"],
  },

  "nothing is read synchronously": {
    "a look at the loss": [
      withLoss((h) => {
        const loss = mean(square(h));
        return Number.isFinite(loss.dataSync()[0]) ? loss : scalar(0);
      }),
      "2 synchronous reads in 2 steps",
    ],
  },

  "micro-batching keeps the mean": {
    "a sum": [withLoss((h) => sum(square(h))), "between one micro-batch and two"],
    "a mean over targets without `count`": [
      () =>
        lossTerm({
          ...plain,
          needs: ["nll", "targets"],
          evaluate: ({ nll, targets }) => ({ loss: div(sum(nll), sum(cast(greaterEqual(targets, 0), "float32"))) }),
        }),
      "between one micro-batch and two",
    ],
    "a set that remembers the micro-batch before": [
      counting((next) => lossTerm({ ...plain, scope: "set", evaluate: ({ hidden }) => ({ loss: mul(mean(square(hidden[0])), next()) }) })),
      "the same micro-batch twice",
    ],
  },

  "the cost is as declared": {
    "a product that is not counted": [() => ({ ...gram(), cost: () => ({ macs: 0, bytes: 1e6 }) }), "declares 0 MACs"],
    "MACs of one batch shape": [() => ({ ...gram(), cost: () => ({ macs: 15_000, bytes: 1e6 }) }), "2 × 8 tokens"],
    "too few bytes": [
      () => ({ ...costedGrowth(), cost: (c) => ({ macs: costedGrowth().cost?.(c).macs ?? 0, bytes: 1000 }) }),
      "declares 1000 bytes",
    ],
  },

  "the term alone does not collapse the hidden states": {
    "a reward for likeness": [withLoss((h) => mean(square(sub(rows(h), mean(rows(h), 0, true)))), 2), "it rewards collapse"],
    "a reward for low entropy, without a floor": [density, "it rewards collapse"],
  },
};
