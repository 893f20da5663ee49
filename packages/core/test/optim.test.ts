import { useBackend } from "@eitp/engine";
import { grad, memory, scalar, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, adamW, cosine, sgd } from "../src/optim/index.ts";
import type { AnyOptimizer } from "../src/spec/optimizer.ts";
import type { Saved } from "../src/spec/saved.ts";
import known from "./fixtures/optim.json" with { type: "json" };

type Named<T> = { readonly [name: string]: T };
const shapes: Named<readonly number[]> = known.shapes;
const filled = (name: string, values: readonly number[] | undefined): Tensor => tensor(values ?? [], [...(shapes[name] ?? [])]);

/** The optimiser over the fixture's 20 gradients; final values by parameter. */
function trained(optimizer: AnyOptimizer): Named<Float32Array> {
  const out: { [name: string]: Float32Array } = {};
  for (const [name, start] of Object.entries<readonly number[]>(known.start)) {
    let parameter = filled(name, start);
    let state: Saved = optimizer.init(parameter, name);
    known.gradients.forEach((gradient: Named<readonly number[]>, step) => {
      const next = optimizer.step(parameter, filled(name, gradient[name]), state, { count: step + 1, step, name });
      parameter = next.parameter;
      state = next.state;
    });
    out[name] = parameter.dataSync<"float32">();
  }
  return out;
}
function largestDifference(got: Named<Float32Array>, want: Named<readonly number[]>): number {
  const differences = Object.entries(want).flatMap(([name, values]) =>
    values.map((w, i) => Math.abs((got[name]?.[i] ?? Number.NaN) - w) / Math.max(1, Math.abs(w))),
  );
  return Math.max(...differences);
}

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  describe("20 gradients as torch.optim", () => {
    const cases: readonly [keyof typeof known.runs, AnyOptimizer][] = [
      ["defaults", adamW({ learningRate: 1e-2 })],
      ["groups", adamW({ learningRate: 1e-2, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1 })],
      ["scheduled", adamW({ learningRate: cosine({ peak: 3e-3, warmup: 4, steps: 15, floor: 1e-4 }), weightDecay: 0.5 })],
      ["adam", adam({ learningRate: 1e-3, beta1: 0, beta2: 0.5 })],
      ["sgd", sgd({ learningRate: 0.05 })],
      ["momentum", sgd({ learningRate: 0.05, momentum: 0.9 })],
    ];
    test.each(cases)("%s", (name, optimizer) => {
      expect(largestDifference(trained(optimizer), known.runs[name])).toBeLessThanOrEqual(1e-6);
    });

    test("the comparison sees a decay that is coupled to the wrong group", () => {
      const everything = adamW({ learningRate: 1e-2, beta2: 0.95, epsilon: 1e-6, weightDecay: 0.1, decays: () => true });
      expect(largestDifference(trained(everything), known.runs.groups)).toBeGreaterThan(1e-4);
    });
  });

  describe("adamW", () => {
    test("first step of a lone weight moves by the learning rate against the sign of the gradient", () => {
      const optimizer = adamW({ learningRate: 0.5 });
      const p = tensor([1, 1]);
      const { parameter, state } = optimizer.step(p, tensor([3, -0.001]), optimizer.init(p, "w"), { count: 1, step: 0, name: "w" });
      expect(parameter.dataSync()[0]).toBeCloseTo(0.5, 6);
      expect(parameter.dataSync()[1]).toBeCloseTo(1.5, 4);
      expect([...state.m.dataSync()]).toEqual([3, Math.fround(-0.001)]);
    });

    test("groups are asked by name and shape", () => {
      const asked: [string, readonly number[]][] = [];
      const optimizer = adamW({ learningRate: 1, weightDecay: 0.25, decays: (name, shape) => asked.push([name, shape]) > 0 });
      const p = tensor([4, 8]);
      const zero = tensor([0, 0]);
      const { parameter } = optimizer.step(p, zero, optimizer.init(p, "bias"), { count: 1, step: 0, name: "bias" });
      expect([...parameter.dataSync()]).toEqual([3, 6]);
      expect(asked).toEqual([["bias", [2]]]);
    });

    test("epsilonRoot keeps the derivative finite where the gradient is 0", () => {
      const slope = (epsilonRoot: number): number => {
        const optimizer = adamW({ learningRate: 0.1, epsilonRoot });
        const p = tensor([1]);
        const at = { count: 1, step: 0, name: "w" };
        const g = grad((gradient) => optimizer.step(p, gradient, optimizer.init(p, "w"), at).parameter)(tensor([0]));
        return g.dataSync()[0] ?? 0;
      };
      expect(slope(0)).toBeNaN();
      expect(slope(1e-12)).toBeCloseTo(-0.1 / (1e-6 + 1e-8), -1);
    });
  });

  describe("every optimiser", () => {
    const all: readonly AnyOptimizer[] = [
      adamW({ learningRate: 0.1, weightDecay: 0.1, epsilonRoot: 1e-12 }),
      adam({ learningRate: 0.1 }),
      sgd({ learningRate: 0.1 }),
      sgd({ learningRate: 0.1, momentum: 0.5 }),
    ];
    test.each(all)("$name is pure: same arguments, same bits, arguments untouched", (optimizer) => {
      const p = tensor([[1, -2]]);
      const g = tensor([[0.5, 0.25]]);
      const state = optimizer.init(p, "w");
      const at = { count: 1, step: 0, name: "w" };
      const [a, b] = [optimizer.step(p, g, state, at), optimizer.step(p, g, state, at)];
      expect(a.parameter.dataSync()).toEqual(b.parameter.dataSync());
      expect([...p.dataSync(), ...g.dataSync()]).toEqual([1, -2, 0.5, 0.25]);
    });
    test.each(all)("$name leaves nothing but the new parameter and state", (optimizer) => {
      const p = tensor([[1, -2]]);
      const g = tensor([[0.5, 0.25]]);
      const state = optimizer.init(p, "w");
      const before = memory().numTensors;
      const next = optimizer.step(p, g, state, { count: 1, step: 0, name: "w" });
      const made = new Set([next.parameter, ...Object.values(next.state ?? {})]);
      expect(memory().numTensors - before).toBe(made.size);
      for (const t of [p, g]) expect(t.isDisposed).toBe(false);
    });
    test.each(all)("$name reports its rate", (optimizer) => expect(optimizer.learningRate?.(7)).toBe(0.1));

    test("is differentiable through a tidy: d(next weight)/d(gradient) of sgd is −η", () => {
      const optimizer = sgd({ learningRate: 0.25 });
      const f = (g: Tensor): Tensor => tidy(() => optimizer.step(scalar(1), g, null, { count: 1, step: 0, name: "w" }).parameter);
      expect(grad(f)(scalar(2)).dataSync()[0]).toBe(-0.25);
    });
  });

  describe("refuses", () => {
    const wrong: readonly [option: string, value: unknown, make: () => AnyOptimizer][] = [
      ["learningRate", -0.1, () => adamW({ learningRate: -0.1 })],
      ["learningRate", Number.NaN, () => adamW({ learningRate: Number.NaN })],
      ["learningRate", Number.POSITIVE_INFINITY, () => sgd({ learningRate: Number.POSITIVE_INFINITY })],
      ["learningRate at step 0", -1, () => adam({ learningRate: () => -1 })],
      ["beta1", 1, () => adamW({ learningRate: 1, beta1: 1 })],
      ["beta2", -0.1, () => adamW({ learningRate: 1, beta2: -0.1 })],
      ["beta2", Number.NaN, () => adamW({ learningRate: 1, beta2: Number.NaN })],
      ["epsilon", 0, () => adamW({ learningRate: 1, epsilon: 0 })],
      ["epsilonRoot", -1, () => adamW({ learningRate: 1, epsilonRoot: -1 })],
      ["weightDecay", -0.01, () => adamW({ learningRate: 1, weightDecay: -0.01 })],
      ["momentum", 1, () => sgd({ learningRate: 1, momentum: 1 })],
    ];
    test.each(wrong)("%s = %s", (option, value, make) => {
      expect(make).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringContaining(`${option} is ${value}; expected `) }),
      );
    });
    test("a schedule that turns NaN later, at that step", () => {
      const optimizer = sgd({ learningRate: (step) => (step < 3 ? 0.1 : Number.NaN) });
      const step = (at: number) => () => optimizer.step(scalar(1), scalar(1), null, { count: at + 1, step: at, name: "w" });
      expect(step(2)).not.toThrow();
      expect(step(3)).toThrow("sgd: learningRate at step 3 is NaN; expected a finite number ≥ 0.");
    });
  });
});
