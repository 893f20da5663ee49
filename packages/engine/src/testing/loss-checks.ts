import { square, type Tensor, tensor1d } from "@tensorflow/tfjs-core";
import { EitpError } from "../error.ts";
import { adamWStep } from "../ops/adam-w-step.ts";
import { headCrossEntropy } from "../ops/head-cross-entropy.ts";
import { counterRng } from "../rng.ts";
import type { ConformanceCheck } from "./check.ts";
import { agree, type Case, evaluate, given, wrong } from "./compare.ts";

// Letters: N rows, D width, V vocabulary.

const sizes = [
  { N: 1, D: 1, V: 1 },
  { N: 1, D: 3, V: 2 },
  { N: 7, D: 5, V: 33 },
  { N: 65, D: 12, V: 257 },
  { N: 130, D: 9, V: 7 },
] as const;

/** Every third row ignored, or all, or none; logits small and large. */
export const lossCases: readonly Case[] = sizes.flatMap(({ N, D, V }) =>
  [0, 1, 3].flatMap((every) =>
    [1, 6].map((spread) =>
      given(
        `headCrossEntropy N ${N} D ${D} V ${V}, ${every === 0 ? "no row" : every === 1 ? "every row" : "some rows"} ignored, spread ${spread}`,
        { h: [N, D], w: [V, D] },
        ({ h, w }) => {
          const targets = Array.from({ length: N }, (_, i) => (every > 0 && i % every === 0 ? -1 : (i * 7 + 1) % V));
          return headCrossEntropy(h, w, tensor1d(targets, "int32"));
        },
        spread,
      ),
    ),
  ),
);

const adamW: readonly ConformanceCheck[] = [[], [1], [7], [3, 67], [0]].flatMap((shape) =>
  [
    { root: 0, keep: 1 },
    { root: 1e-3, keep: 0.99 },
  ].map(({ root, keep }) => {
    const name = `adamWStep [${shape}], root ${root}, keep ${keep}`;
    return {
      name,
      check: () =>
        agree(name, () => {
          const normal = (key: string): Tensor => counterRng(2).fold(key).normal(shape);
          const constants = { beta1: 0.9, beta2: 0.95, scale: 0.01, epsilon: 1e-8, root, keep };
          return { ...adamWStep(normal("p"), normal("g"), normal("m"), square(normal("v")), constants) };
        }),
    };
  }),
);

/** A target beyond the vocabulary is an error, not a read out of bounds. */
const badTarget: ConformanceCheck = {
  name: "headCrossEntropy refuses a target beyond the vocabulary",
  check: async () => {
    const rng = counterRng(3);
    const loss = (): Promise<unknown> =>
      evaluate(() => ({ value: headCrossEntropy(rng.normal([2, 3]), rng.normal([4, 3]), tensor1d([0, 4], "int32")) }));
    const error: unknown = await loss().then(
      () => undefined,
      (e: unknown) => e,
    );
    if (!EitpError.is(error) || error.code !== "data")
      throw wrong(`a target of 4 with a vocabulary of 4 gave ${String(error)}; expected an EitpError "data"`);
  },
};

export const lossChecks: readonly ConformanceCheck[] = [...adamW, badTarget];
