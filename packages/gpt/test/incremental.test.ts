import { type AttentionCache, attentionStep, primal, useBackend } from "@eitp/engine";
import { concat, slice, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { type GptOptions, gpt } from "../src/index.ts";
import { fixtureBatch, fixtureParams, largestDifference } from "./fixture.ts";
import { evaluating } from "./gradients.ts";

const options: GptOptions = { vocabulary: 11, context: 6, width: 12, layers: 2, heads: 3 };
const shape = { ...options, sequences: 2, length: 6 };

beforeAll(async () => {
  await useBackend("cpu");
});

test.each<Partial<GptOptions>>([
  {},
  { tokenShift: true },
  { positions: "rotary", tokenShift: true, logN: true },
  { positions: "alibi" },
  { positions: "none", tokenShift: true, logN: true },
])("a text fed piece by piece gives the logits of the whole: %j", (change) => {
  const model = gpt({ ...options, ...change });
  const params = fixtureParams(model);
  const batch = fixtureBatch(shape);
  const whole = model.apply(params, batch, new Set(["logits"]), evaluating).logits?.dataSync() ?? [];

  const caches: (AttentionCache | null)[] = Array(options.layers).fill(null);
  const piece = (from: number, length: number): Tensor2D => slice(batch.tokens, [0, from], [2, length]);
  const pieces: Tensor[] = [];
  for (const [offset, length] of [
    [0, 3],
    [3, 1],
    [4, 2],
  ] as const) {
    let x: Tensor = model.embed(params, piece(offset, length), { offset, before: offset === 0 ? undefined : piece(offset - 1, 1) });
    for (const layer of caches.keys()) {
      x = model.block(primal, params, layer, x, {
        attend(qkv, how) {
          const { out, cache } = attentionStep(qkv, caches[layer] ?? null, how);
          caches[layer] = cache;
          return out;
        },
      });
    }
    pieces.push(model.logits(params, x));
  }
  expect(largestDifference(concat(pieces, 1).dataSync(), whole)).toBeLessThan(1e-5);
});
