import * as tf from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";
import { EitpError, listBackends, useBackend } from "../src/index.ts";

test("auto takes wasm and says why; asking again changes nothing", async () => {
  const said = vi.spyOn(console, "warn");
  const first = await useBackend("auto");
  expect(first).toMatchObject({ name: "wasm", threads: 1 });
  expect(first.why).not.toBe("");
  expect(tf.getBackend()).toBe("wasm");
  const kernels = tf.getKernelsForBackend("wasm").map((k) => k.kernelFunc);
  await useBackend("wasm");
  expect(tf.getKernelsForBackend("wasm").map((k) => k.kernelFunc)).toEqual(kernels);
  expect((await useBackend("cpu")).name).toBe("cpu");
  tf.ones([2]).dispose();
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

test("an unknown backend is refused with what there is", async () => {
  const error: unknown = await useBackend("cuda").catch((e: unknown) => e);
  expect(EitpError.is(error) && error.code).toBe("unavailable");
  expect(String(error)).toMatch(/"cuda".*"cpu".*"wasm"/s);
});

test("a name tfjs knows and we do not repair is refused too", async () => {
  await expect(useBackend("webgl")).rejects.toThrow(/"webgl"/);
});

test("the list names every backend with a way to get it", () => {
  const list = listBackends();
  expect(list.map((b) => [b.name, b.available])).toEqual([
    ["cpu", true],
    ["wasm", true],
  ]);
  for (const { available, whyNot, how } of list) expect([available ? whyNot : null, how.length > 10]).toEqual([null, true]);
});

test("tensors made before a switch keep their values", async () => {
  await useBackend("cpu");
  const x = tf.tensor1d([1, 2, 3]);
  await useBackend("wasm");
  expect(Array.from(tf.mul(x, 2).dataSync())).toEqual([2, 4, 6]);
});
