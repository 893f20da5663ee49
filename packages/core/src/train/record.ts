import { cast, stack, type Tensor } from "@tensorflow/tfjs-core";
import type { LedgerRow, StepRecord } from "../spec/index.ts";

/** A step's numbers, still on the device. All tensors rank 0. */
export interface Reading {
  readonly step: number;
  readonly scalars: ReadonlyMap<string, Tensor>;
  readonly weights: ReadonlyMap<string, number | Tensor>;
  readonly ledger: readonly { readonly key: string; readonly ms: number; readonly norm: Tensor; readonly cosine: Tensor }[];
  readonly extra: { readonly [key: string]: number };
}
/** A record that also says whether the run may go on. */
export interface HealthRecord extends StepRecord {
  readonly healthy: boolean;
}

/** Starts one asynchronous read of one small tensor; the promise may be awaited at any time. */
export function readRecord({ step, scalars, weights, ledger, extra }: Reading): Promise<HealthRecord> {
  const onDevice = new Map<string, Tensor>(scalars);
  for (const [key, weight] of weights) if (typeof weight !== "number") onDevice.set(`${key}.weight`, weight);
  for (const { key, norm, cosine } of ledger) onDevice.set(`ledger ${key} norm`, norm).set(`ledger ${key} cosine`, cosine);
  const keys = [...onDevice.keys()];
  const reading = stack([...onDevice.values()].map((t) => cast(t, "float32"))).data();

  const finish = async (): Promise<HealthRecord> => {
    const read = await reading;
    const all = new Map(keys.map((key, i) => [key, read[i] as number]));
    const values: { [key: string]: number } = {};
    for (const key of scalars.keys()) if (key !== "ok" && key !== "healthy") values[key] = all.get(key) as number;
    // Absent where no use measured a loss: a step without targets has no loss of 0.
    let total: number | undefined;
    for (const [key, given] of weights) {
      const weight = typeof given === "number" ? given : (all.get(`${key}.weight`) as number);
      const loss = values[`${key}.loss`];
      if (loss === undefined) continue;
      values[`${key}.weight`] = weight;
      // A weight of exactly 0 leaves the term out: 0·NaN must not show as NaN.
      values[`${key}.weighted`] = weight === 0 ? 0 : weight * loss;
      total = (total ?? 0) + (values[`${key}.weighted`] as number);
    }
    const rows = ledger.map(
      ({ key, ms }): LedgerRow => ({
        term: key,
        value: values[`${key}.loss`] ?? Number.NaN,
        weighted: values[`${key}.weighted`] ?? Number.NaN,
        gradientNorm: all.get(`ledger ${key} norm`) as number,
        cosine: all.get(`ledger ${key} cosine`) as number,
        ms,
      }),
    );
    const skipped = all.get("ok") === 0;
    return {
      step,
      kind: "step",
      values: { ...(total !== undefined && { loss: total }), ...values, ...extra, ...(skipped && { skipped: 1 }) },
      ...(rows.length > 0 && { ledger: rows }),
      healthy: all.get("healthy") !== 0,
    };
  };
  return finish();
}
