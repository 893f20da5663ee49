import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  counterRng,
  EitpError,
  hvp,
  primal,
  secondOrderSelfTest,
  stopGradient,
  untaped,
  useBackend,
  valueAndGrad,
  withTape,
} from "../src/index.ts";

const rng = counterRng(11);
const normal = (name: string, shape: number[]): tf.Tensor => rng.fold(name).normal(shape);

describe.each(["cpu", "wasm"])("autodiff on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("many backwards over one tape equal separate runs bit for bit", () => {
    const [w, x] = [normal("w", [5, 4]), normal("x", [3, 5])];
    const first = (): tf.Tensor => tf.sum(tf.square(tf.tanh(tf.matMul(x, w))));
    const second = (): tf.Tensor => tf.sum(tf.exp(tf.matMul(x, w)));
    const alone = [first, second].map((f) => valueAndGrad(({ w: _ }) => f(), { w }).grads.w.dataSync());
    const together = withTape((tape) => [first(), second(), first()].map((y) => tape.gradient(y, [w])[0]?.dataSync()));
    expect(together).toEqual([alone[0], alone[1], alone[0]]);
  });

  test("nothing is left behind, whether it returns or throws, and the tape closes", () => {
    const w = normal("w", [4]);
    const before = tf.memory().numTensors;
    const loss = (): tf.Tensor => tf.sum(tf.exp(tf.mul(w, w)));
    withTape((tape) => void tape.gradient(loss(), [w]));
    expect(tf.memory().numTensors).toBe(before);
    const failing = tf.customGrad((x) => ({
      value: tf.square(x as tf.Tensor),
      gradFunc: () => {
        throw new Error("backward");
      },
    }));
    expect(() => withTape((tape) => tape.gradient(tf.sum(failing(tf.exp(w))), [w]))).toThrow("backward");
    expect(() =>
      withTape(() => {
        loss();
        throw new Error("forward");
      }),
    ).toThrow("forward");
    expect(tf.memory().numTensors).toBe(before);
    expect(withTape((tape) => tape.gradient(loss(), [w])[0]?.shape)).toEqual([4]);
  });

  test("null where nothing depends; refuses to nest", () => {
    const [a, b] = [tf.scalar(2), tf.scalar(3)];
    expect(withTape((tape) => tape.gradient(tf.square(a), [a, b]).map((g) => g?.dataSync()[0] ?? null))).toEqual([4, null]);
    expect(() => withTape(() => withTape(() => 0))).toThrow(EitpError);
  });

  test("stopGradient keeps the bits, −0 too, copies nothing and cuts the path", () => {
    const x = tf.tensor1d([-0, 1.5, -3]);
    const buffers = tf.memory().numDataBuffers;
    const stopped = stopGradient(x);
    expect(Object.is(stopped.dataSync()[0], -0)).toBe(true);
    expect(tf.memory().numDataBuffers).toBe(buffers);
    const { grads } = valueAndGrad(({ x }) => tf.sum(tf.mul(stopGradient(x), x)), { x });
    expect(Array.from(grads.x.dataSync())).toEqual([-0, 1.5, -3]);
    expect(withTape((tape) => tape.gradient(tf.sum(untaped(() => tf.square(x))), [x])[0])).toBeNull();
  });

  test("valueAndGrad gives zeros for what is not used, and refuses what is no scalar", () => {
    const { value, grads } = valueAndGrad(({ a }) => tf.square(a), { a: tf.scalar(3), unused: tf.ones([2]) });
    expect([value.dataSync()[0], grads.a.dataSync()[0], ...grads.unused.dataSync()]).toEqual([9, 6, 0, 0]);
    expect(() => valueAndGrad(({ a }) => a, { a: tf.ones([2]) })).toThrow(/scalar/);
  });

  test("the self-test of second derivatives passes", () => expect(secondOrderSelfTest()).resolves.toBeUndefined());

  test("the self-test notices a gradient that is right once and wrong twice, and one that is missing", async () => {
    const config = tf.getGradient("Tanh") as tf.GradConfig;
    tf.unregisterGradient("Tanh");
    tf.registerGradient({
      ...config,
      gradFunc: (dy, saved) => ({ x: () => tf.mul(dy as tf.Tensor, tf.sub(1, tf.square(stopGradient(saved[0] as tf.Tensor)))) }),
    });
    await expect(secondOrderSelfTest()).rejects.toThrow(/second derivative of x·tanh x at .* expected/);
    tf.unregisterGradient("Tanh");
    await expect(secondOrderSelfTest()).rejects.toThrow(/x·tanh x cannot be computed/);
    tf.registerGradient(config);
    await secondOrderSelfTest();
  });

  const [T, D, H] = [5, 6, 2];
  const options = { heads: H, positions: "learned", logN: null } as const;
  const losses: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    "tanh-GELU": (x) => tf.sum(tf.square(primal.gelu(x))),
    "layer norm": (x) =>
      tf.sum(tf.mul(tf.square(primal.layerNorm(x, normal("lw", [3 * D]), normal("lb", [3 * D]), 1e-5)), normal("c", [3 * D]))),
    attention: (x) => tf.sum(tf.square(primal.attention(x, options))),
    "rotary attention": (x) => tf.sum(tf.square(primal.attention(x, { heads: H, positions: "alibi", logN: 3 }))),
    "a block": (x) => tf.sum(tf.square(primal.gelu(primal.linear(primal.attention(x, options), normal("m", [D, 7]), normal("mb", [7]))))),
  };
  test.each(Object.entries(losses))("Hessian–vector product of %s equals the difference of gradients", (_, f) => {
    const x = normal("point", [2, T, 3 * D]);
    const v = normal("direction", [2, T, 3 * D]);
    const exact = hvp(({ x }) => f(x), { x }, { x: v }).x;
    const gradient = (step: number): tf.Tensor => valueAndGrad(({ x }) => f(x), { x: tf.add(x, tf.mul(v, step)) }).grads.x;
    const differences = tf.div(tf.sub(gradient(1e-2), gradient(-1e-2)), 2e-2);
    const error = tf.div(tf.norm(tf.sub(exact, differences)), tf.norm(differences)).dataSync()[0] as number;
    expect(error).toBeLessThan(1e-2);
  });
});
