import { EitpError } from "@eitp/engine/error";
import type { Params, Saved, StepRecord } from "../spec/index.ts";
import { checkpointFiles } from "./checkpoint.ts";
import type { TrainOptions } from "./options.ts";
import type { Trainer } from "./trainer.ts";

/**
 * Names the culprit of a step that was not finite, by replaying it with the ledger (the step changed nothing), and dumps state, batch cursor and
 * numbers under `dumps/` where there is a store.
 */
export async function nonFiniteError(
  trainer: Trainer,
  at: { readonly step: number; readonly cursor: Saved },
  { platform, seed, dataset, checkpoint }: TrainOptions,
): Promise<EitpError> {
  trainer.rewind(at);
  const record = await trainer.diagnose();
  const culprit =
    (await badParameter(trainer.params)) ??
    badLoss(record) ??
    badWeight(record) ??
    badGradient(record) ??
    badOwn(record) ??
    "the summed gradient is not finite, though each term's is: their sum overflows";
  let dump = "";
  if (platform !== undefined) {
    const folder = `dumps/step-${String(at.step).padStart(8, "0")}`;
    const content = {
      saved: await trainer.save(),
      progress: { best: null, since: 0 },
      seed,
      dataset: dataset.fingerprint,
      backend: "dump",
      config: checkpoint?.config ?? null,
    };
    const report = { step: at.step, culprit, ledger: readable(record.ledger ?? []), values: readable(record.values) };
    await platform.store.commit(folder, {
      ...(await checkpointFiles(content)),
      "failure.json": new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`),
    });
    dump = ` State and numbers are in ${folder}.`;
  }
  return new EitpError(
    "nonFinite",
    `step ${at.step + 1} is not finite: ${culprit}. The run stands before this step.${dump} Lower the learning rate or the term's weight, or use onNonFinite: "skip"`,
  );
}

function badLoss({ values }: StepRecord): string | null {
  const bad = Object.entries(values).filter(
    ([key, v]) => key.endsWith(".loss") && !Number.isFinite(v) && values[key.replace(/loss$/, "weight")] !== 0,
  );
  return bad.length === 0 ? null : `the loss of ${bad.map(([key, v]) => `term '${key.slice(0, -5)}' is ${v}`).join(", of ")}`;
}
/** Schedules are checked where they are asked; only a controller can give such a weight. */
function badWeight({ values }: StepRecord): string | null {
  const bad = Object.entries(values).filter(([key, v]) => key.endsWith(".weight") && !Number.isFinite(v));
  return bad.length === 0
    ? null
    : `the controller's weight of ${bad.map(([key, v]) => `term '${key.slice(0, -7)}' is ${v}`).join(", of ")}`;
}
function badGradient({ ledger = [] }: StepRecord): string | null {
  const bad = ledger.filter((row) => !Number.isFinite(row.gradientNorm));
  return bad.length === 0
    ? null
    : `the gradient of ${bad.map((row) => `term '${row.term}' has norm ${row.gradientNorm} (loss ${row.value})`).join(", of ")}`;
}
function badOwn({ values }: StepRecord): string | null {
  const bad = Object.entries(values).filter(
    ([key, v]) => key.endsWith(".ownGradientNorm") && !Number.isFinite(v) && values[key.replace(/ownGradientNorm$/, "weight")] !== 0,
  );
  return bad.length === 0
    ? null
    : `the gradient at the own parameters of ${bad.map(([key, v]) => `term '${key.slice(0, key.lastIndexOf("."))}' has norm ${v}`).join(", of ")}`;
}
async function badParameter(params: Params): Promise<string | null> {
  for (const [name, p] of Object.entries(params)) {
    const at = (await p.data()).findIndex((v) => !Number.isFinite(v));
    if (at >= 0) return `parameter '${name}' already holds a value that is not finite, at flat index ${at}`;
  }
  return null;
}
/** JSON has no NaN: written as strings. */
function readable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, v: unknown) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v)));
}
