import { describe, test } from "vitest";
import { crossEntropy } from "../src/terms/cross-entropy.ts";
import { describeLossTerm } from "../src/testing/index.ts";
import { activity, balance, density, l1, stretch } from "./terms.ts";

/** Right terms of every kind, each under the whole contract, on the backend in use. */
export function describeOurTerms(): void {
  for (const make of [crossEntropy, l1, activity, density, stretch]) describeLossTerm(() => make(), { describe, test });
  const beside = () => [
    { term: density(), weight: 0.1 },
    { term: activity(), weight: 0.1 },
  ];
  describeLossTerm(balance, { describe, test }, { beside });
}
