import type { Metrics, Series } from "../metrics/read.ts";
import type { RunInfo } from "../run/types.ts";
import { maxLines } from "./chart/line.ts";

/** A series and the key it was recorded under. */
export interface Quantity {
  readonly key: string;
  readonly series: Series;
}
/** What the report shows by name; everything else recorded is shown under its key. */
export interface Quantities {
  /** Cross-entropy of the training batches, nats per token; else the total. */
  readonly trainLoss: Quantity | undefined;
  readonly heldOutLoss: Quantity | undefined;
  readonly bitsPerByte: Quantity | undefined;
  readonly learningRate: Quantity | undefined;
  readonly gradientNorm: Quantity | undefined;
  /** Tokens per second, recorded or from the time per step; else milliseconds per step. */
  readonly speed: (Quantity & { readonly unit: "tokens/s" | "ms/step" }) | undefined;
  /** The weighted sum of all terms, where it is not the train loss itself. */
  readonly total: Quantity | undefined;
  /** Per use of a term, in the order of the names. */
  readonly terms: readonly {
    readonly use: string;
    readonly loss: Quantity;
    readonly weighted: Quantity | undefined;
    readonly weight: Quantity | undefined;
  }[];
  readonly rest: readonly Quantity[];
  readonly restEvaluations: readonly Quantity[];
}

/** Sorts a run's series by the keys that the trainer writes. */
export function quantitiesOf({ steps, evaluations }: Metrics, { tokensPerStep }: RunInfo): Quantities {
  const shown = new Set<string>();
  const take = (from: ReadonlyMap<string, Series>, ...keys: readonly string[]): Quantity | undefined => {
    const key = keys.find((candidate) => from.has(candidate));
    const series = key === undefined ? undefined : from.get(key);
    if (key === undefined || series === undefined) return undefined;
    shown.add(`${from === steps ? "step" : "evaluation"} ${key}`);
    return { key, series };
  };
  const left = (from: ReadonlyMap<string, Series>): readonly Quantity[] => {
    const kind = from === steps ? "step" : "evaluation";
    return [...from].filter(([key]) => !shown.has(`${kind} ${key}`)).map(([key, series]) => ({ key, series }));
  };

  const terms = [...steps.keys()].filter((key) => key.endsWith(".loss")).sort();
  const named = {
    trainLoss: take(steps, "ce.loss", "loss", ...terms),
    total: terms.length > 0 ? take(steps, "loss") : undefined,
    heldOutLoss: take(evaluations, "heldOut.loss", "ce.loss", "loss"),
    bitsPerByte: take(evaluations, "heldOut.bitsPerByte", "bitsPerByte"),
    learningRate: take(steps, "learningRate"),
    gradientNorm: take(steps, "gradient.norm"),
    speed: speedOf(take(steps, "tokensPerSecond"), take(steps, "stepMs"), tokensPerStep),
    terms: terms.flatMap((key) => {
      const use = key.slice(0, -".loss".length);
      const loss = take(steps, key);
      return loss === undefined ? [] : [{ use, loss, weighted: take(steps, `${use}.weighted`), weight: take(steps, `${use}.weight`) }];
    }),
  };
  take(evaluations, "heldOut.perplexity");
  return { ...named, rest: left(steps), restEvaluations: left(evaluations) };
}

function speedOf(recorded: Quantity | undefined, stepMs: Quantity | undefined, tokensPerStep: number | undefined): Quantities["speed"] {
  if (recorded !== undefined) return { ...recorded, unit: "tokens/s" };
  if (stepMs === undefined) return undefined;
  if (tokensPerStep === undefined) return { ...stepMs, unit: "ms/step" };
  const values = stepMs.series.values.map((ms) => (1000 * tokensPerStep) / ms);
  return { key: "tokensPerSecond", series: { steps: stepMs.series.steps, values }, unit: "tokens/s" };
}

export function lastValue(quantity: Quantity | undefined): number | undefined {
  return quantity?.series.values.at(-1);
}

/** The colour of each term, by its place among the terms: the same in every chart. */
export function colours({ terms }: Quantities): ReadonlyMap<string, number> {
  return new Map(terms.map(({ use }, i) => [use, (i % maxLines) + 1]));
}

/** Of the finite values; robust against the slow first steps. */
export function median(quantity: Quantity | undefined): number | undefined {
  const sorted = (quantity?.series.values ?? []).filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
