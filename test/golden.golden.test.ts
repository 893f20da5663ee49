// The only test that reads the whole system: 20 steps of a 2-layer model with everything on. A refactor must reproduce every bit;
// a change that is meant to change them rewrites the fixture (EITP_WRITE_GOLDEN=1) and says why in a changeset.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adamW, clipByGlobalNorm, cosine, crossEntropy, train } from "@eitp/core";
import { lossTerm } from "@eitp/core/spec";
import { useBackend } from "@eitp/engine";
import { gpt } from "@eitp/gpt";
import { bytes, datasetFromText } from "@eitp/text";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";

const fixture = join(import.meta.dirname, "fixtures", "golden-curve.json");
type Curve = { readonly [backend: string]: readonly { readonly loss: string; readonly norm: string }[] };

/** Shortest decimal that reads back as the same float64: full precision. */
async function curve(): Promise<Curve[string]> {
  const text = Array.from({ length: 60 }, (_, i) => `${i} times ${i + 1} is ${i * (i + 1)}; `).join("");
  const activity = lossTerm({
    name: "activity",
    units: "1",
    scope: "tokens",
    needs: ["hidden"],
    evaluate: ({ hidden }) => ({ loss: tf.mean(tf.stack(hidden.map((h) => tf.mean(tf.square(h))))) }),
  });
  const run = train({
    model: gpt({ vocabulary: 256, context: 12, width: 16, layers: 2, heads: 2, dropout: 0.1 }),
    terms: [
      { term: crossEntropy(), weight: 1 },
      { term: activity, weight: 0.01 },
    ],
    dataset: datasetFromText(text, bytes(), { shape: { sequences: 3, length: 12 } }),
    optimizer: adamW({ learningRate: cosine({ peak: 1e-2, warmup: 4, steps: 20, floor: 1e-3 }), beta2: 0.99, weightDecay: 0.1 }),
    transforms: [clipByGlobalNorm(1)],
    microBatches: 2,
    steps: 20,
    seed: 1337,
  });
  const points: { loss: string; norm: string }[] = [];
  for await (const { values } of run) points.push({ loss: String(values["loss"]), norm: String(values["gradient.norm"]) });
  tf.dispose(Object.values((await run.finish()).params));
  return points;
}

describe("golden curve", () => {
  test.each(["cpu", "wasm"] as const)("%s reproduces every bit", async (backend) => {
    await useBackend(backend);
    const found = await curve();
    if (process.env["EITP_WRITE_GOLDEN"] === "1") {
      const before = readFixture();
      writeFileSync(fixture, `${JSON.stringify({ ...before, [backend]: found }, null, 1)}\n`);
    }
    expect(found).toEqual(readFixture()[backend]);
    expect(Number(found?.at(-1)?.loss)).toBeLessThan(Number(found?.[0]?.loss) - 1);
  });
});

function readFixture(): Curve {
  return JSON.parse(readFileSync(fixture, "utf8")) as Curve;
}
