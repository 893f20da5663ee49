import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { relaxed } from "../src/backends/wasm/kernels.generated.ts";
import { counterRng, useBackend } from "../src/index.ts";
import { conformance } from "../src/testing/index.ts";

const valid = WebAssembly.validate(Uint8Array.from(atob(relaxed), (c) => c.charCodeAt(0)));
const product = (): number[] => {
  const rng = counterRng(1);
  return tf.tidy(() => Array.from(tf.matMul(rng.fold("a").normal([9, 33]), rng.fold("b").normal([33, 9])).dataSync()));
};
let plain: number[] = [];

beforeAll(async () => {
  expect((await useBackend("wasm")).fma).toBe(false);
  plain = product();
  expect((await useBackend("wasm", { fma: true })).fma).toBe(valid);
});
afterAll(async () => {
  await useBackend("wasm");
  expect(product()).toEqual(plain);
});

test("fused multiply-add is taken when asked for and there: other bits, the same numbers", () => {
  const found = product();
  expect(found.some((x, i) => x !== plain[i])).toBe(valid);
  for (const [i, x] of found.entries()) expect(x).toBeCloseTo(plain[i] as number, 4);
});

test.each(conformance().filter(({ name }) => /GPT|T 131|block|matMul \[2\]/.test(name)))("conforms with it: $name", async ({ check }) => {
  await check();
});
