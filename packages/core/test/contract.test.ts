import { useBackend } from "@eitp/engine";
import { beforeAll, describe, test } from "vitest";
import type { AnyLossTerm, TermUse } from "../src/spec/index.ts";
import { crossEntropy } from "../src/terms/cross-entropy.ts";
import { describeLossTerm } from "../src/testing/index.ts";
import { activity, balance, density, l1, stretch } from "./terms.ts";

const terms: readonly (() => AnyLossTerm)[] = [crossEntropy, l1, activity, density, () => stretch()];
const read = (): readonly TermUse[] => [
  { term: density(), weight: 0.1 },
  { term: activity(), weight: 0.1 },
];

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeAll(() => useBackend(backend));
  for (const make of terms) describeLossTerm(make, { describe, test });
  describeLossTerm(balance, { describe, test }, { beside: read });
});
