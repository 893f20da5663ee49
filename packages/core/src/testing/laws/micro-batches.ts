import { dispose, keep, type Tensor } from "@tensorflow/tfjs-core";
import type { AnyGradientTransform } from "../../spec/index.ts";
import { type Bench, run } from "../bench.ts";
import { chainDataset } from "../data.ts";
import { must } from "../law.ts";

/** Largest relative change of the gradient: rounding of a few hundred float32 sums, not a different mean. */
const tolerance = 1e-4;

/**
 * Scope "tokens" and "params": one micro-batch of four sequences and two of two give the same gradient, although they count different
 * numbers of targets. Scope "set": the set is one micro-batch, so the same one twice gives the gradient of once.
 */
export async function microBatchingKeepsTheMean(bench: Bench): Promise<void> {
  const { scope } = bench.make();
  const half = { ...bench.batch, sequences: bench.batch.sequences / 2 };
  const data = (repeat: number) => ({ dataset: chainDataset({ vocabulary: bench.model.shape.vocabulary, shape: half, repeat }) });
  const one = scope === "set" ? await gradientOf(bench, 2, { ...data(1), microBatches: 1 }) : await gradientOf(bench, 1, {});
  const two = scope === "set" ? await gradientOf(bench, 2, data(2)) : await gradientOf(bench, 2, {});
  const size = Math.hypot(...one);
  const off = Math.hypot(...one.map((x, i) => x - (two[i] ?? 0)));
  const why =
    scope === "set"
      ? 'the same micro-batch twice; a "set" is one micro-batch'
      : 'one micro-batch and two; a "tokens" term is a mean over the targets that `count` counts';
  must(off <= tolerance * size, `the gradient differs by ${(off / size).toExponential(1)} (relative) between ${why}`);
}

type More = NonNullable<NonNullable<Parameters<Bench["trainer"]>[0]>["more"]>;

/** All entries of the gradient of the first step of the term alone. */
async function gradientOf(bench: Bench, parts: number, more: More): Promise<readonly number[]> {
  let seen: readonly Tensor[] = [];
  const capture: AnyGradientTransform = {
    name: "capture",
    init: () => null,
    apply: (gradients, state) => {
      seen = gradients.map((g) => keep(g.clone()));
      return { gradients, state };
    },
  };
  await run(await bench.trainer({ company: "alone", weight: 1, parts, more: { transforms: [capture], ...more } }), 1);
  const arrays = await Promise.all(seen.map((g) => g.data()));
  dispose([...seen]);
  return arrays.flatMap((a) => [...a]);
}
