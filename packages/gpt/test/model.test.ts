import type { InputMap, ModelBatch, Need, Params } from "@eitp/core/spec";
import { counterRng, useBackend } from "@eitp/engine";
import { profile, softmax, type Tensor, tensor2d, tidy, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type GptModel, type GptOptions, gpt } from "../src/index.ts";
import { fixtureBatch, fixtureParams, largestDifference, unit } from "./fixture.ts";
import { evaluating } from "./gradients.ts";

const layers = 2;
const options: GptOptions = { vocabulary: 11, context: 7, width: 8, layers, heads: 2 };
const shape = { ...options, sequences: 2, length: 6 };
let model: GptModel;
let params: Params;
let batch: ModelBatch;

beforeAll(async () => {
  await useBackend("cpu");
  model = gpt(options);
  params = fixtureParams(model);
  batch = fixtureBatch(shape);
});

function apply<N extends Need>(...needs: readonly N[]): Pick<InputMap, N> {
  return model.apply(params, batch, new Set<Need>(needs), evaluating) as Pick<InputMap, N>;
}
const bits = (x: Tensor): number[] => [...x.dataSync()];

describe("inputs", () => {
  async function kernels(...needs: readonly Need[]): Promise<{ all: number; of: (kernel: RegExp) => number }> {
    const { kernels } = await profile(() => tidy(() => void apply(...needs)));
    return { all: kernels.length, of: (kernel) => kernels.filter(({ name }) => kernel.test(name)).length };
  }

  test("what needs no computation runs no kernel", async () => {
    expect((await kernels("tokens", "targets", "params", "structure")).all).toBe(0);
    expect((await kernels("blocks")).all).toBe(0);
  });

  test("nothing undeclared is computed, and one forward serves all", async () => {
    const products = async (...needs: readonly Need[]): Promise<number> => (await kernels(...needs)).of(/MatMul$/);
    const forward = 6 * layers;
    expect(await products("hidden")).toBe(forward);
    expect(await products("normed")).toBe(forward);
    expect(await products("logits")).toBe(forward + 1);
    expect(await products("nll")).toBe(forward + 1);
    expect(await products("attention")).toBe(forward + layers);
    expect(await products("hidden", "normed", "attention", "logits", "nll", "blocks")).toBe(forward + layers + 2);
    const norms = async (need: Need): Promise<number> => (await kernels(need)).of(/^Rsqrt$/);
    expect(await norms("hidden")).toBe(2 * layers);
    expect(await norms("normed")).toBe(2 * layers + 1);
  });

  test("only what was asked for is returned", () => {
    for (const need of model.supplies) expect(Object.keys(apply(need))).toEqual([need]);
  });

  test("have the documented shapes", () => {
    const { hidden, attention, normed, logits, nll } = apply("hidden", "attention", "normed", "logits", "nll");
    expect(hidden.map((x) => x.shape)).toEqual(Array(layers + 1).fill([2, 6, 8]));
    expect(normed.map((x) => x.shape)).toEqual(Array(2 * layers + 1).fill([2, 6, 8]));
    expect(attention.map((x) => x.shape)).toEqual(Array(layers).fill([2, 2, 6, 6]));
    expect(logits.shape).toEqual([2, 6, 11]);
    expect(nll.shape).toEqual([2, 6]);
  });

  test("nll is −ln softmax(logits) at the target, and 0 where the target is −1", () => {
    const { logits, nll } = apply("logits", "nll");
    const p = softmax(logits).dataSync();
    const expected = [...batch.targets.dataSync()].map((target, row) =>
      target === -1 ? 0 : -Math.log(p[row * 11 + target] ?? Number.NaN),
    );
    expect(expected).toContain(0);
    expect(largestDifference(nll.dataSync(), expected)).toBeLessThan(1e-5);
  });

  test("attention rows are causal distributions", () => {
    for (const a of apply("attention").attention) {
      const rows = a.arraySync().flat(2);
      for (const [i, row] of rows.entries()) {
        expect(row.reduce((x, y) => x + y, 0)).toBeCloseTo(1, 5);
        expect(row.slice((i % 6) + 1).every((p) => p === 0)).toBe(true);
      }
    }
  });

  test("asking for more moves no bit of the rest", () => {
    const all = apply("hidden", "normed", "attention", "logits", "nll", "blocks");
    expect(bits(apply("nll").nll)).toEqual(bits(all.nll));
    expect(bits(apply("logits").logits)).toEqual(bits(all.logits));
    expect(apply("hidden").hidden.map(bits)).toEqual(all.hidden.map(bits));
  });

  test("a small head budget changes nll by rounding only", () => {
    const chunked = gpt({ ...options, headBudgetBytes: 11 * 4 * 5 });
    const nll = chunked.apply(params, batch, new Set(["nll"]), evaluating).nll?.dataSync() ?? [];
    expect(largestDifference(nll, apply("nll").nll.dataSync())).toBeLessThan(1e-5);
  });
});

describe.each<Partial<GptOptions>>([
  {},
  { positions: "rotary" },
  { positions: "alibi", tokenShift: true },
  { positions: "none", tokenShift: true, logN: true },
])("%j", (change) => {
  test("changing token t changes nothing before t, and something at t and after", () => {
    const other = gpt({ ...options, ...change });
    const own = fixtureParams(other);
    const hidden = (tokens: Int32Array): number[][] => {
      const x = tensor2d(tokens, [1, 6], "int32");
      const { hidden: states = [] } = other.apply(own, { tokens: x, targets: x }, new Set(["hidden"]), evaluating);
      return states[layers]?.arraySync()[0] ?? [];
    };
    const tokens = Int32Array.from(unit("causality", 6), (u) => Math.floor(((u + 1) / 2) * 11));
    const before = hidden(tokens);
    for (let t = 0; t < 6; t++) {
      const after = hidden(tokens.map((token, i) => (i === t ? (token + 1) % 11 : token)));
      expect(after.slice(0, t)).toEqual(before.slice(0, t));
      for (let later = t; later < 6; later++) expect(after[later]).not.toEqual(before[later]);
    }
  });
});

describe("init", () => {
  const wide: GptOptions = { vocabulary: 50, context: 16, width: 48, layers: 2, heads: 3, tokenShift: true };
  const deviation = (x: Tensor | undefined): number => {
    const values = x?.dataSync() ?? [];
    return Math.sqrt([...values].reduce((total, v) => total + v * v, 0) / values.length);
  };

  test("N(0, 0.02²), residual projections narrower by √(2L), biases and shift 0, norms 1 and 0", () => {
    const fresh = gpt(wide).init(counterRng(5));
    for (const [name, tensor] of Object.entries(fresh)) {
      const values = new Set(tensor.dataSync());
      if (/ln_.*\.weight$/.test(name)) expect([...values], name).toEqual([1]);
      else if (/\.bias$|^shift/.test(name)) expect([...values], name).toEqual([0]);
      else {
        const expected = name.endsWith("c_proj.weight") ? 0.01 : 0.02;
        expect(deviation(tensor) / expected, name).toBeGreaterThan(0.9);
        expect(deviation(tensor) / expected, name).toBeLessThan(1.1);
      }
    }
  });

  test("a tensor depends on the seed and its own name only", () => {
    const [one, again, seed] = [
      gpt(wide).init(counterRng(5)),
      gpt({ ...wide, vocabulary: 60 }).init(counterRng(5)),
      gpt(wide).init(counterRng(6)),
    ];
    const weight = (from: Params): number[] => bits(from["h.1.mlp.c_fc.weight"] ?? zeros([0]));
    expect(weight(again)).toEqual(weight(one));
    expect(weight(seed)).not.toEqual(weight(one));
    expect(bits(one["h.0.mlp.c_fc.weight"] ?? zeros([0]))).not.toEqual(weight(one));
  });
});

describe("refuses, naming what is wrong", () => {
  const ids = (values: readonly number[]): ModelBatch => {
    const x = tensor2d([...values], [1, values.length], "int32");
    return { tokens: x, targets: x };
  };

  test("a context longer than the learned positions", () => {
    expect(() => model.apply(params, ids(Array(8).fill(1)), new Set(["nll"]), evaluating)).toThrow(
      /reaches 8 tokens, but the model has 7 learned/,
    );
    expect(() => model.embed(params, ids([1, 2]).tokens, { offset: 6 })).toThrow(/reaches 8 tokens/);
    const free = gpt({ ...options, positions: "none" });
    expect(free.apply(fixtureParams(free), ids(Array(8).fill(1)), new Set(["nll"]), evaluating).nll?.shape).toEqual([1, 8]);
  });

  test("a parameter that is missing or of another shape", () => {
    const { "ln_f.bias": _, ...without } = params;
    expect(() => model.apply(without, batch, new Set(["nll"]), evaluating)).toThrow(/"ln_f.bias" is missing; the model expects \[8\]/);
    const wrong = { ...params, "wte.weight": zeros([11, 9]) };
    expect(() => model.apply(wrong, batch, new Set(["nll"]), evaluating)).toThrow(
      /"wte.weight" has shape \[11,9\]; the model expects \[11,8\]/,
    );
  });

  test("batches of another type or shape", () => {
    const floats = { ...batch, tokens: tensor2d([[1, 2]], [1, 2], "float32") };
    expect(() => model.apply(params, floats, new Set(["nll"]), evaluating)).toThrow(/tokens must be int32 .* got float32 \[1,2\]/);
    const short = { ...batch, targets: tensor2d([[1, 2]], [1, 2], "int32") };
    expect(() => model.apply(params, short, new Set(["nll"]), evaluating)).toThrow(/targets must be int32 of shape \[2,6\]/);
  });

  test("a need it does not know", () => {
    const foreign = new Set(JSON.parse('["gradients"]') as Need[]);
    expect(() => model.apply(params, batch, foreign, evaluating)).toThrow(/cannot supply "gradients"; it supplies tokens, targets, logits/);
  });
});
