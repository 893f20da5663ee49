import type { Positions } from "@eitp/core/spec";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type GptOptions, gpt, parametersOf, stepsOf, summary } from "../src/index.ts";

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const options: fc.Arbitrary<GptOptions> = fc
  .record({
    vocabulary: size(99),
    context: fc.integer({ min: 2, max: 99 }),
    heads: size(5),
    pairs: size(4),
    layers: size(4),
    positions: fc.constantFrom<Positions>("learned", "rotary", "alibi", "none"),
    tokenShift: fc.boolean(),
    logN: fc.boolean(),
  })
  .map(({ pairs, heads, ...rest }) => ({ ...rest, heads, width: 2 * pairs * heads }));

test("any valid configuration: parameters named once, counted by GPT-2's formula, two slots a block", () => {
  fc.assert(
    fc.property(options, (o) => {
      const { structure, shape } = gpt(o);
      const names = parametersOf(structure).map(({ name }) => name);
      expect(names).toEqual([...new Set(Object.keys(shape.params))]);
      const { vocabulary: V, context: T, width: D, layers: L } = o;
      const expected = V * D + (o.positions === "learned" ? T * D : 0) + (o.tokenShift ? D : 0) + L * (12 * D * D + 13 * D) + 2 * D;
      expect(summary(structure).parameters).toBe(expected);
      expect(stepsOf(structure).filter((step) => "slot" in step)).toHaveLength(2 * L);
    }),
  );
});
