import * as tf from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";
import { EitpError, listBackends, useBackend } from "../src/index.ts";

test("auto takes native, or wasm and says what native lacks", async () => {
  const { name, why } = await useBackend("auto");
  const native = (await listBackends()).find((b) => b.name === "native");
  expect(tf.getBackend()).toBe(name);
  if (native?.available) expect([name, why]).toEqual(["native", "the fastest on this processor"]);
  else expect([name, why]).toEqual(["wasm", `the fastest embedded backend; ${native?.whyNot}`]);
});

test("wasm starts; asking again changes nothing", async () => {
  const said = vi.spyOn(console, "warn");
  expect(await useBackend("wasm")).toMatchObject({ name: "wasm", why: "asked for", threads: 1 });
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

test("the list names every backend with a way to get it", async () => {
  const list = await listBackends();
  expect(list.map((b) => b.name)).toEqual(["native", "cpu", "wasm"]);
  for (const { name, available } of list) if (name !== "native") expect(available).toBe(true);
  for (const { available, whyNot, how } of list) expect([available === (whyNot === null), how.length > 10]).toEqual([true, true]);
});

test("tensors made before a switch keep their values", async () => {
  await useBackend("cpu");
  const x = tf.tensor1d([1, 2, 3]);
  await useBackend("wasm");
  expect(Array.from(tf.mul(x, 2).dataSync())).toEqual([2, 4, 6]);
});
