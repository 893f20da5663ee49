import { counterRng, stopGradient, withTape } from "@eitp/engine";
import { add, keep, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { mapTensors } from "../../train/tree.ts";
import type { Bench } from "../bench.ts";
import { must } from "../law.ts";
import { scalars } from "../read.ts";

/** The smaller of two step sizes; the other is twice as large. */
const h = 4e-3;
/** Coordinates moved together. A dense direction crosses a kink of |w| or relu almost surely, and a right term would fail. */
const coordinates = 4;
const draws = 2;

/**
 * The gradient of `loss` at the model's parameters, and of `own` at the term's, agree with finite differences. Directions with a kink within
 * reach (two step sizes disagree) are left out. A term that declares a `surrogate` has another gradient on purpose.
 */
export async function gradientIsTheDerivative(bench: Bench): Promise<void> {
  const scene = bench.scene();
  const { term, params, state, evaluate } = scene;
  if (term.own !== undefined) {
    const own = term.own.of(state);
    await compare("own", {
      names: own.map((_, i) => `own/${i}`),
      xs: own,
      value: (xs) => {
        const moved = new Map(own.map((t, i) => [t, xs[i] ?? t]));
        const value = evaluate({ state: mapTensors(state, (t) => moved.get(t) ?? t) }).own;
        must(value !== undefined, "the term has own parameters, but `evaluate` returns no `own` objective");
        return value;
      },
    });
  }
  if (term.surrogate !== undefined) {
    must(term.surrogate.trim() !== "", "`surrogate` is empty; it says why the gradient is not the derivative of the value");
    return;
  }
  const names = Object.keys(params);
  await compare("loss", {
    names,
    xs: Object.values(params),
    value: (xs) => evaluate({ params: Object.fromEntries(names.map((name, i) => [name, xs[i] as Tensor])) }).loss,
  });
}

interface Differentiable {
  readonly names: readonly string[];
  readonly xs: readonly Tensor[];
  readonly value: (xs: readonly Tensor[]) => Tensor;
}
interface Direction {
  readonly at: number;
  /** Entry → ±1. */
  readonly moves: ReadonlyMap<number, number>;
}

async function compare(what: string, f: Differentiable): Promise<void> {
  const directions = f.xs.flatMap((x, at) => Array.from({ length: draws }, (_, draw) => direction(x.size, at, draw)));
  const slopes = await slopesAlong(f, directions);
  const points = [1, -1, 2, -2];
  const [start = Number.NaN, ...values] = await scalars(() => [
    f.value(f.xs),
    ...directions.flatMap((d) => points.map((p) => valueAt(f, d, p * h))),
  ]);
  // Rounding of a float32 value of this size, seen through the quotient.
  const noise = (1e-6 * Math.abs(start)) / h;

  const errors = f.xs.map(() => 0);
  const sizes = f.xs.map(() => 0);
  let smooth = 0;
  directions.forEach((d, i) => {
    const [up, down, farUp, farDown] = values.slice(i * points.length, (i + 1) * points.length) as [number, number, number, number];
    const near = (up - down) / (2 * h);
    const far = (farUp - farDown) / (4 * h);
    if (!(Math.abs(near - far) <= 0.05 * Math.abs(near) + noise)) return;
    smooth++;
    const extrapolated = (4 * near - far) / 3;
    errors[d.at] = (errors[d.at] ?? 0) + Math.max(0, Math.abs(extrapolated - (slopes[i] ?? 0)) - noise);
    sizes[d.at] = (sizes[d.at] ?? 0) + Math.abs(extrapolated);
  });
  const largest = Math.max(...sizes);
  must(
    smooth >= f.xs.length,
    `only ${smooth} of ${directions.length} directions of \`${what}\` are smooth; finite differences see nothing`,
  );
  must(
    largest > 0 || slopes.some((s) => s !== 0),
    `\`${what}\` does not depend on any parameter at the test model's start, so the laws see nothing; make the term with options under which it acts`,
  );
  f.names.forEach((name, i) => {
    const [error, size] = [errors[i] ?? 0, sizes[i] ?? 0];
    must(
      error <= 0.02 * size + 1e-3 * largest,
      `the gradient of \`${what}\` at '${name}' is off by ${error.toExponential(2)} where finite differences give ${size.toExponential(2)}; if it is meant to be another one, say why in \`surrogate\``,
    );
  });
}

function direction(size: number, at: number, draw: number): Direction {
  const rng = counterRng(8).fold(at).fold(draw);
  const moves = Array.from({ length: Math.min(coordinates, size) }, (_, c) => {
    const entry = Math.floor(rng.uniform(2 * c) * size);
    return [entry, rng.uniform(2 * c + 1) < 0.5 ? -1 : 1] as const;
  });
  return { at, moves: new Map(moves) };
}

function valueAt(f: Differentiable, { at, moves }: Direction, by: number): Tensor {
  return tidy(() => {
    const xs = f.xs.map((x, i) => (i === at ? add(x, sparse(x, moves, by)) : x));
    return f.value(xs);
  });
}

async function slopesAlong(f: Differentiable, directions: readonly Direction[]): Promise<readonly number[]> {
  const gradients = withTape((tape) => tape.gradient(f.value(f.xs), f.xs).map((g) => g && keep(stopGradient(g))));
  const arrays = await Promise.all(gradients.map((g) => g?.data()));
  for (const g of gradients) g?.dispose();
  return directions.map(({ at, moves }) => [...moves].reduce((sum, [entry, sign]) => sum + sign * (arrays[at]?.[entry] ?? 0), 0));
}

function sparse(like: Tensor, moves: ReadonlyMap<number, number>, by: number): Tensor {
  const values = new Float32Array(like.size);
  for (const [entry, sign] of moves) values[entry] = sign * by;
  return tensor(values, like.shape);
}
