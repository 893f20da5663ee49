import { EitpError } from "@eitp/engine/error";
import { describe, expect, test } from "vitest";
import { memoryPlatform } from "../src/platform/memory.ts";
import type { TermUse } from "../src/spec/index.ts";
import { chainDataset } from "../src/testing/data.ts";
import { checkOptions, type TrainOptions } from "../src/train/options.ts";
import { arrange, weightAt } from "../src/train/slots.ts";
import { model, options } from "./support/runs.ts";
import { activity, l1 } from "./support/terms.ts";

const endless = chainDataset({ vocabulary: model.shape.vocabulary, shape: { sequences: 2, length: 5 } });
const validation = { dataset: { ...endless, batches: 2 }, every: 2 };
const base: TrainOptions = { ...options([]), steps: 4, platform: memoryPlatform(), validation };

function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (EitpError.is(error) && error.code === "usage") return error.message;
    throw error;
  }
  return "accepted";
}

describe("options of a run are refused with option, value and range", () => {
  const hook = { name: "late", onRecord: () => undefined };
  test.each<[option: string, more: Partial<TrainOptions>, message: string]>([
    ["steps", { steps: -1 }, "`steps` is -1; expected an integer ≥ 0"],
    ["seed", { seed: 0.5 }, "`seed` is 0.5; expected an integer ≥ 0"],
    ["microBatches", { microBatches: 0 }, "`microBatches` is 0; expected an integer ≥ 1"],
    ["ledgerEvery", { ledgerEvery: Number.NaN }, "`ledgerEvery` is NaN; expected an integer ≥ 0"],
    ["validation.every", { validation: { ...validation, every: 0 } }, "`validation.every` is 0"],
    [
      "validation.bytesPerToken",
      { validation: { ...validation, bytesPerToken: 0 } },
      "`validation.bytesPerToken` is 0; expected a finite number > 0",
    ],
    ["endless validation", { validation: { dataset: endless, every: 2 } }, "give `validation.batches`"],
    ["checkpoint.keep", { checkpoint: { every: 1, keep: 0 } }, "`checkpoint.keep` is 0"],
    ["earlyStopping.patience", { earlyStopping: { patience: 0 } }, "`earlyStopping.patience` is 0"],
    ["earlyStopping.minDelta", { earlyStopping: { patience: 1, minDelta: Number.NaN } }, "`earlyStopping.minDelta` is NaN"],
    ["a hook's every", { hooks: [{ ...hook, every: 0 }] }, "`every of hook 'late'` is 0; expected an integer ≥ 1"],
  ])("%s", (_option, more, message) => {
    expect(refusal(() => checkOptions({ ...base, ...more }))).toContain(message);
  });

  test("and accepted where they fit", () => {
    expect(refusal(() => checkOptions({ ...base, hooks: [{ ...hook, every: 3 }], earlyStopping: { patience: 1, minDelta: 0 } }))).toBe(
      "accepted",
    );
  });
});

describe("uses are refused with name, option and value", () => {
  test.each<[what: string, uses: readonly TermUse[], message: string]>([
    ["none", [], "`terms` is empty"],
    ["every", [{ term: l1(), weight: 1, every: Number.POSITIVE_INFINITY }], "`every` of 'l1' is Infinity; expected an integer ≥ 1"],
    ["until before from", [{ term: l1(), weight: 1, from: 5, until: 5 }], "`until` of 'l1' is 5; expected an integer above `from` (5)"],
    [
      "scope",
      [{ term: { ...activity(), scope: "token" as never }, weight: 1 }],
      '`scope` of \'activity\' is "token"; expected "tokens" or',
    ],
    ["between", [{ term: l1(), weight: 1, between: "keep" as never }], '`between` of \'l1\' is "keep"; expected "zero" or "hold"'],
    ["onNonFinite", [{ term: l1(), weight: 1, onNonFinite: "ignore" as never }], "`onNonFinite` of 'l1' is \"ignore\""],
  ])("%s", (_what, uses, message) => {
    expect(refusal(() => arrange(uses, model))).toContain(message);
  });

  test("a schedule that turns NaN, at that step", () => {
    const [slot] = arrange([{ term: l1(), weight: (step) => (step < 3 ? 0.1 : Number.NaN) }], model);
    if (slot === undefined) throw new Error("one use makes one slot");
    expect(weightAt(slot, 2, {})).toBe(0.1);
    expect(refusal(() => weightAt(slot, 3, {}))).toBe("the weight of 'l1' at step 3 is NaN; its schedule must give finite numbers");
  });
});
