import { registerKernel, type Tensor, unregisterKernel } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { useBackend } from "../src/index.ts";
import { conformance } from "../src/testing/index.ts";

const checks = conformance();

describe.each(["wasm"])("%s conforms", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(checks.map(({ name, check }) => [name, check] as const))("%s", async (_, check) => {
    await expect(check()).resolves.toBeUndefined();
  });
});

test("every check has a name of its own", () => {
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
});

test("a kernel that is wrong in one entry is found, and named", async () => {
  await useBackend("cpu");
  const wrong = ({ inputs }: { inputs: unknown }): Tensor[] => {
    const { p, m, v } = inputs as { [name: string]: Tensor };
    return [p, m, v].map((x) => (x as Tensor).clone());
  };
  registerKernel({ kernelName: "EitAdamW", backendName: "cpu", kernelFunc: wrong });
  const steps = checks.filter(({ name }) => name.startsWith("adamWStep [7]"));
  expect(steps.length).toBe(2);
  for (const { check } of steps) await expect(check()).rejects.toThrow(/adamWStep \[7\].*: parameter on cpu is .* at 0 of \[7\]; expected/);
  unregisterKernel("EitAdamW", "cpu");
});
