import { join } from "node:path";
import type { Params } from "@eitp/core/spec";
import { counterRng, useBackend } from "@eitp/engine";
import {
  type GenerateOptions,
  type GptModel,
  type GptOptions,
  generate,
  generateAll,
  gpt,
  nextTokenDistribution,
  toParams,
} from "@eitp/gpt";
import { loadHuggingFace } from "@eitp/gpt/node";
import { memory, Tensor, tensor2d, tidy, zeros } from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { cachedRows } from "../src/generate/cached-rows.ts";
import fixture from "./fixtures/hugging-face.json" with { type: "json" };

const tiny: GptOptions = { vocabulary: 11, context: 16, width: 12, layers: 2, heads: 2, initStd: 0.5 };
let model: GptModel;
let params: Params;
beforeAll(async () => {
  await useBackend("cpu");
  const loaded = await loadHuggingFace(join(import.meta.dirname, "fixtures/hugging-face"));
  model = gpt(loaded.config);
  params = toParams(loaded.params);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Logits of the last token, the whole text computed anew. */
function lastLogits(of: GptModel, weights: Params, tokens: readonly number[]): number[] {
  return tidy(() => {
    const ids = tensor2d([[...tokens]], undefined, "int32");
    const { logits } = of.apply(weights, { tokens: ids, targets: ids }, new Set(["logits"]), { training: false, rng: counterRng(0) });
    return (logits?.arraySync()[0] ?? []).at(-1) ?? [];
  });
}
/** The plain loop that generation must equal: no cache; beyond the context, the window starts anew with the last half of it. */
function argmaxLoop(of: GptModel, weights: Params, prompt: readonly number[], steps: number): number[] {
  const context = of.structure.context ?? Infinity;
  const text = [...prompt];
  let start = 0;
  for (let i = 0; i < steps; i++) {
    if (text.length - start > context) start = text.length - Math.max(1, Math.floor(context / 2));
    const logits = lastLogits(of, weights, text.slice(start));
    text.push(logits.indexOf(Math.max(...logits)));
  }
  return text.slice(prompt.length);
}
/** Fresh weights, but for a token shift that does something. */
function initial(of: GptModel): Params {
  const weights = of.init(counterRng(5));
  return of.config.tokenShift ? { ...weights, "shift.weight": counterRng(6).normal([of.config.width]) } : weights;
}
const letters = (tokens: readonly number[]): string => tokens.map((t) => String.fromCharCode(97 + t)).join("");

describe("against transformers", () => {
  test("a batch of prompts of different lengths gives the greedy texts", async () => {
    const results = await generateAll(model, params, fixture.prompts, { maxNewTokens: 15 });
    expect(results.map(({ tokens }) => tokens)).toEqual(fixture.greedy);
    expect(results.map(({ finish }) => finish)).toEqual(["length", "length", "length"]);
  });

  test("so does the repetition penalty", async () => {
    const results = await generateAll(model, params, fixture.prompts, { maxNewTokens: 15, repetitionPenalty: 1.4 });
    expect(results.map(({ tokens }) => tokens)).toEqual(fixture.penalised);
  });
});

describe("the cache", () => {
  test.each<[string, Partial<GptOptions>]>([
    ["learned", {}],
    ["rotary", { positions: "rotary" }],
    ["alibi", { positions: "alibi" }],
    ["none, token shift, log-n", { positions: "none", tokenShift: true, logN: true }],
  ])("gives the logits of the whole text: %s", async (_, extra) => {
    const other = gpt({ ...tiny, ...extra });
    const weights = initial(other);
    const texts = [1, 2].map((seed) => Array.from({ length: 12 }, (__, i) => counterRng(seed).bits(i) % 11));
    const rows = cachedRows(other, weights);
    let done = 0;
    let worst = 0;
    for (const piece of [5, 1, 1, 3, 1, 1]) {
      const scores = await rows.append(texts.map((text) => text.slice(done, done + piece)));
      done += piece;
      for (const [row, text] of texts.entries()) {
        const whole = lastLogits(other, weights, text.slice(0, done));
        worst = Math.max(worst, ...whole.map((x, i) => Math.abs(x - (scores[row]?.[i] ?? NaN))));
      }
    }
    rows.dispose();
    expect(worst).toBeLessThan(1e-4);
  });

  test.each<[string, Partial<GptOptions>, number[]]>([
    ["learned positions, past the context twice", {}, [1, 2, 3]],
    ["a prompt longer than the context", {}, Array.from({ length: 21 }, (_, i) => (i * 7) % 11)],
    ["a prompt that fills the context", {}, Array.from({ length: 16 }, (_, i) => (i * 3) % 11)],
    ["a context of one token", { context: 1 }, [4]],
    ["rotary, past the training length", { positions: "rotary" }, [1, 2, 3]],
    ["token shift and log-n, past the training length", { positions: "none", tokenShift: true, logN: true }, [1, 2, 3]],
  ])("greedy is the argmax loop: %s", async (_, extra, prompt) => {
    const other = gpt({ ...tiny, ...extra });
    const weights = initial(other);
    const [result] = await generateAll(other, weights, [prompt], { maxNewTokens: 30 });
    expect(result?.tokens).toEqual(argmaxLoop(other, weights, prompt, 30));
  });
});

describe("sampling", () => {
  const sampling = { temperature: 1.5, topK: 15, topP: 0.95, seed: 3 };
  test("a batch gives what its prompts give alone", async () => {
    const together = await generateAll(model, params, [...fixture.prompts, [9]], { maxNewTokens: 20, sampling });
    for (const [firstRow, prompt] of [...fixture.prompts, [9]].entries()) {
      const alone = await generateAll(model, params, [prompt], { maxNewTokens: 20, sampling: { ...sampling, firstRow } });
      expect(together[firstRow]).toEqual(alone[0]);
    }
    expect(together[1]?.tokens).not.toEqual(together[3]?.tokens);
  });

  test("the seed decides", async () => {
    const text = async (seed: number) =>
      (await generateAll(model, params, [[9]], { maxNewTokens: 20, sampling: { ...sampling, seed } }))[0]?.tokens;
    expect(await text(3)).toEqual(await text(3));
    expect(await text(3)).not.toEqual(await text(4));
  });

  test("each token is a new draw (χ², 0.1 %)", async () => {
    const uniform = gpt({ ...tiny, positions: "none", layers: 1 });
    const weights = { ...uniform.init(counterRng(1)), "wte.weight": zeros([11, tiny.width]) };
    const [result] = await generateAll(uniform, weights, [[0]], { maxNewTokens: 300, sampling: { seed: 5 } });
    const counts = new Float64Array(11);
    for (const token of result?.tokens ?? []) counts[token] = (counts[token] ?? 0) + 1;
    expect(counts.reduce((sum, n) => sum + (n - 300 / 11) ** 2 / (300 / 11), 0)).toBeLessThan(29.59); // 10 degrees of freedom
  });

  test("first tokens are distributed as they should be (χ², 0.1 %)", async () => {
    const rows = 3000;
    const results = await generateAll(model, params, Array<number[]>(rows).fill([9]), { maxNewTokens: 1, sampling: { topK: 9, seed: 1 } });
    const probabilities = nextTokenDistribution(lastLogits(model, params, [9]), [9], { topK: 9 });
    const counts = new Float64Array(probabilities.length);
    for (const { tokens } of results) counts[tokens[0] ?? 0] = (counts[tokens[0] ?? 0] ?? 0) + 1;
    expect(Array.from(counts, (n) => n === 0)).toEqual(Array.from(probabilities, (p) => p * rows < 1));
    const chi2 = Array.from(probabilities, (p, i) => (p === 0 ? 0 : ((counts[i] ?? 0) - rows * p) ** 2 / (rows * p))).reduce(
      (a, b) => a + b,
    );
    expect(chi2).toBeLessThan(26.12); // 8 degrees of freedom
  });
});

describe("the end of a text", () => {
  test("an end-of-text token ends its row and nobody else's", async () => {
    const results = await generateAll(model, params, fixture.prompts, { maxNewTokens: 15, endOfText: [6], decode: letters });
    expect(results.map(({ tokens }) => tokens)).toEqual([[15, 0, 0, 6], fixture.greedy[1], fixture.greedy[2]]);
    expect(results[0]).toMatchObject({ text: "paa", finish: "endOfText" });
    expect(results[1]).toMatchObject({ text: letters(fixture.greedy[1] ?? []), finish: "length" });
  });

  test.each<[string, () => readonly [GptModel, Params]]>([
    ["GPT-2", () => [model, params]],
    [
      "token shift",
      () => {
        const other = gpt({ ...tiny, positions: "none", tokenShift: true });
        return [other, initial(other)];
      },
    ],
  ])("a row that ends in the middle of its group leaves the others unmoved: %s", async (_, make) => {
    const [other, weights] = make();
    const prompts = [[9], [1], [4]];
    const whole = await generateAll(other, weights, prompts, { maxNewTokens: 12, sampling: {} });
    const end = whole[0]?.tokens[2] ?? -1;
    const cut = await generateAll(other, weights, prompts, { maxNewTokens: 12, sampling: {}, endOfText: [end] });
    const upTo = (tokens: readonly number[]) => (tokens.includes(end) ? tokens.slice(0, tokens.indexOf(end) + 1) : tokens);
    const expected = whole.map(({ tokens }) => upTo(tokens));
    expect(new Set(expected.map(({ length }) => length)).size).toBeGreaterThan(1);
    expect(cut.map(({ tokens }) => tokens)).toEqual(expected);
  });

  test("a stop string is cut off, streamed or collected", async () => {
    const options = { maxNewTokens: 15, decode: letters, stop: ["gq", "zz"] };
    const shown: string[] = [];
    for await (const { text, finish } of generate(model, params, [[1, 7, 3]], options))
      shown.push(finish === null ? text : `${text}|${finish}`);
    expect(shown).toEqual(["p", "a", "a", "", "g", "g", "|stop"]);
    expect(await generateAll(model, params, [[1, 7, 3]], options)).toEqual([
      { tokens: [15, 0, 0, 6, 6, 6, 16], text: "paagg", finish: "stop" },
    ]);
  });

  test("what was held back comes with the last token", async () => {
    const [result] = await generateAll(model, params, [[1, 7, 3]], { maxNewTokens: 4, decode: letters, stop: ["gq"] });
    expect(result).toMatchObject({ text: "paag", finish: "length" });
  });
});

describe("resources", () => {
  const count = async (use: () => Promise<unknown>): Promise<number> => {
    const before = memory().numTensors;
    await use();
    return memory().numTensors - before;
  };

  test("no tensor is left behind: finished, left early, aborted, sliding", async () => {
    expect(await count(() => generateAll(model, params, fixture.prompts, { maxNewTokens: 40, endOfText: [6] }))).toBe(0);
    expect(
      await count(async () => {
        for await (const { index } of generate(model, params, fixture.prompts, { maxNewTokens: 9 })) if (index === 3) break;
      }),
    ).toBe(0);
    const control = new AbortController();
    expect(
      await count(async () => {
        const running = generate(model, params, fixture.prompts, { maxNewTokens: 9, signal: control.signal });
        await running.next();
        control.abort();
        await expect(running.next().then(() => running.next())).rejects.toMatchObject({ code: "interrupted" });
      }),
    ).toBe(0);
  });

  test("while it runs, only the cache lives", async () => {
    const before = memory().numTensors;
    for await (const { index } of generate(model, params, [[1], [2]], { maxNewTokens: 5 })) {
      expect([index, memory().numTensors - before]).toEqual([index, 2 * model.config.layers]);
    }
  });

  test("nothing is read synchronously, and one tensor a step asynchronously", async () => {
    vi.spyOn(Tensor.prototype, "dataSync").mockImplementation(() => {
      throw new Error("synchronous read");
    });
    const reads = vi.spyOn(Tensor.prototype, "data");
    await generateAll(model, params, [[1], [2]], { maxNewTokens: 6, sampling: {} });
    expect(reads).toHaveBeenCalledTimes(6);
  });

  test("an abort by a timer is heard", async () => {
    const control = new AbortController();
    setTimeout(() => control.abort("enough"), 30);
    const running = generateAll(model, params, [[1]], { maxNewTokens: 100_000, signal: control.signal });
    await expect(running).rejects.toThrow(/aborted after \d+ of 100000 tokens/);
    await expect(running).rejects.toMatchObject({ code: "interrupted", cause: "enough" });
  });
});

describe("refused at once", () => {
  test.each<[Partial<GenerateOptions>, RegExp]>([
    [{ maxNewTokens: 0 }, /maxNewTokens must be an integer of at least 1; got 0/],
    [{ maxNewTokens: NaN }, /maxNewTokens/],
    [{ sampling: { temperature: 0 } }, /temperature must be a number above 0 \(leave `sampling` out for greedy\); got 0/],
    [{ sampling: { temperature: -1 } }, /temperature/],
    [{ sampling: { temperature: NaN } }, /temperature .* got NaN/],
    [{ sampling: { temperature: Infinity } }, /temperature/],
    [{ sampling: { topK: 0 } }, /topK must be an integer of at least 1; got 0/],
    [{ sampling: { topK: 2.5 } }, /topK/],
    [{ sampling: { topP: 0 } }, /topP must be above 0 and at most 1; got 0/],
    [{ sampling: { topP: 1.1 } }, /topP/],
    [{ sampling: { topP: NaN } }, /topP/],
    [{ sampling: { seed: -1 } }, /seed/],
    [{ sampling: { firstRow: 0.5 } }, /firstRow/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty must be a number above 0/],
    [{ repetitionPenalty: NaN }, /repetitionPenalty/],
    [{ endOfText: [23] }, /endOfText must be token ids below 23; got 23/],
    [{ stop: ["a"] }, /stop must be a `decode` function beside it/],
    [{ stop: [""], decode: letters }, /stop must be strings that are not empty/],
    [{ overflow: "refuse", maxNewTokens: 24 }, /prompt 0 of 2 tokens and 24 new ones need 25 positions, but the model has 24/],
  ])("%j", (options, message) => {
    expect(() => generate(model, params, [[1, 2]], { maxNewTokens: 3, ...options })).toThrow(message);
    expect(() => generate(model, params, [[1, 2]], { maxNewTokens: 3, ...options })).toThrow(expect.objectContaining({ code: "usage" }));
  });

  test.each<[readonly (readonly number[])[], RegExp]>([
    [[], /prompts must be at least one prompt/],
    [[[1], []], /prompt 1 must be at least one token/],
    [[[1, 23]], /prompt 0 must be token ids from 0 to 22; got 23 at position 1/],
    [[[-1]], /got -1 at position 0/],
    [[[0.5]], /got 0.5/],
  ])("prompts %j", (prompts, message) => {
    expect(() => generate(model, params, prompts, { maxNewTokens: 3 })).toThrow(message);
  });

  test("parameters of another model", () => {
    expect(() => generate(gpt(tiny), params, [[1]], { maxNewTokens: 3 })).toThrow(expect.objectContaining({ code: "data" }));
  });

  test("as much as fits is not refused", async () => {
    const [result] = await generateAll(model, params, [[1, 2]], { maxNewTokens: 23, overflow: "refuse" });
    expect(result?.tokens.length).toBe(23);
  });
});

test("a model with a NaN in it is named as broken", async () => {
  const { "ln_f.bias": bias, ...rest } = params;
  const broken = { ...rest, "ln_f.bias": tidy(() => (bias as Tensor).mul(NaN)) };
  await expect(generateAll(model, broken, [[1]], { maxNewTokens: 3 })).rejects.toMatchObject({ code: "nonFinite" });
  broken["ln_f.bias"].dispose();
});
