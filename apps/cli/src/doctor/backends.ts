import { listBackends, secondOrderSelfTest, useBackend, valueAndGrad } from "@eitp/engine";
import { EitpError } from "@eitp/engine/error";
import { matMul, mul, sum, type Tensor, tanh, tensor2d } from "@tensorflow/tfjs-core";
import { type Check, messageOf } from "./check.ts";

/** Starts every backend and tests first and second derivatives on it. */
export async function backendChecks(): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const { name, available, whyNot, how } of await listBackends()) {
    if (!available) checks.push({ name: `backend ${name}`, state: "missing", found: whyNot ?? "not there", advice: how });
    else checks.push(await tested(name, how));
  }
  return checks;
}

async function tested(name: string, how: string): Promise<Check> {
  try {
    const { fma, isa, threads } = await useBackend(name);
    await gradientSelfTest();
    await secondOrderSelfTest();
    const vectors = isa ?? (fma === undefined ? null : fma ? "SIMD, fused multiply-add" : "SIMD");
    const details = vectors === null ? [] : [vectors, `${threads} thread${threads === 1 ? "" : "s"}`];
    return { name: `backend ${name}`, state: "ok", found: ["gradients right", "second derivatives right", ...details, how].join(", ") };
  } catch (error) {
    return {
      name: `backend ${name}`,
      state: "broken",
      found: messageOf(error),
      advice: "Install again with `npm ci`, or choose another backend.",
    };
  }
}

/**
 * The gradient of Σ tanh(x·w)² against central differences.
 * @throws EitpError "internal" where they differ by more than a thousandth.
 */
async function gradientSelfTest(): Promise<void> {
  const at = [0.3, -0.8, 1.1, 0.2];
  const x = tensor2d([0.5, -1, 2, 0.25], [2, 2]);
  const f = ({ w }: { readonly w: Tensor }): Tensor => {
    const y = tanh(matMul(x, w));
    return sum(mul(y, y));
  };
  const valueAt = async (values: readonly number[]): Promise<number> => {
    const w = tensor2d([...values], [2, 2]);
    const y = f({ w });
    return (await y.data())[0] ?? Number.NaN;
  };
  const { grads } = valueAndGrad(f, { w: tensor2d(at, [2, 2]) });
  const found = await grads.w.data();
  const h = 1e-2;
  for (const [i, own] of at.entries()) {
    const moved = (by: number): readonly number[] => at.map((value, j) => (j === i ? own + by : value));
    const expected = ((await valueAt(moved(h))) - (await valueAt(moved(-h)))) / (2 * h);
    if (!(Math.abs((found[i] ?? Number.NaN) - expected) <= 2e-3)) {
      throw new EitpError("internal", `a gradient is ${found[i]}, expected ${expected}`);
    }
  }
}
