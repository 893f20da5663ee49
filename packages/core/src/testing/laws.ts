import type { Bench } from "./bench.ts";
import { type Law, type LawOptions, law, type MakeTerm } from "./law.ts";
import { termAloneDoesNotCollapse } from "./laws/collapse.ts";
import { costIsAsDeclared } from "./laws/cost.ts";
import { gradientIsTheDerivative } from "./laws/gradient.ts";
import { noTensorIsLeft, nothingIsReadSynchronously, onlyDeclaredInputsAreRead } from "./laws/hygiene.ts";
import { microBatchingKeepsTheMean } from "./laws/micro-batches.ts";
import { ownParametersMoveByOwnAlone } from "./laws/own.ts";
import { orderDoesNotMatter, resumedIsUninterrupted, sameSeedSameBits, weightZeroIsAbsence } from "./laws/run.ts";
import { sameArgumentsSameBits, scalarAndFinite, stateKeepsItsStructure } from "./laws/value.ts";

const bodies: { readonly [name: string]: (bench: Bench) => Promise<void> } = {
  "everything it returns is a finite scalar": scalarAndFinite,
  "only declared inputs are read": onlyDeclaredInputsAreRead,
  "same arguments, same bits": sameArgumentsSameBits,
  "the gradient is the derivative of the value": gradientIsTheDerivative,
  "own parameters are in the state and move by `own` alone": ownParametersMoveByOwnAlone,
  "the state keeps its structure": stateKeepsItsStructure,
  "weight 0 is absence, to the bit": weightZeroIsAbsence,
  "the order of terms does not matter": orderDoesNotMatter,
  "same seed, same bits": sameSeedSameBits,
  "save, load, go on = never stopped": resumedIsUninterrupted,
  "no tensor is left behind": noTensorIsLeft,
  "nothing is read synchronously": nothingIsReadSynchronously,
  "micro-batching keeps the mean": microBatchingKeepsTheMean,
  "the cost is as declared": costIsAsDeclared,
  "the term alone does not collapse the hidden states": termAloneDoesNotCollapse,
};

/**
 * The laws every loss term keeps, each checked on a two-layer model of 1,900 weights on the active backend; free of any test framework.
 * @param make A fresh term at every call, with options under which it acts on a model at its start.
 * @example
 * ```ts
 * for (const law of lossTermLaws(() => zLoss())) await law.check();
 * ```
 */
export function lossTermLaws(make: MakeTerm, options: LawOptions = {}): readonly Law[] {
  return Object.entries(bodies).map(([name, body]) => law(name, make, options, body));
}

/** The part of a test framework that the contract needs; vitest's, Jest's and node:test's functions fit. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

/**
 * Declares one test per law.
 * @example
 * ```ts
 * import { describe, test } from "vitest";
 * describeLossTerm(() => zLoss(), { describe, test });
 * ```
 */
export function describeLossTerm(make: MakeTerm, { describe, test }: TestFramework, options: LawOptions = {}): void {
  describe(`contract of loss term '${make().name}'`, () => {
    for (const { name, check } of lossTermLaws(make, options)) test(name, check);
  });
}
