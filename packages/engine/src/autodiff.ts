import { engine, getGradient, registerGradient, scalar, type Tensor, zeros } from "@tensorflow/tfjs-core";
import { EitpError } from "./error.ts";

/** Runs `f` without recording: what it returns carries no gradient. Nothing is copied when `f` clones. */
export function untaped<R>(f: () => R): R {
  const { state } = engine();
  state.kernelDepth++;
  try {
    return f();
  } finally {
    state.kernelDepth--;
  }
}

/** The value of `x` without its history: shares the data, adds no tape node, keeps −0. */
export function stopGradient<T extends Tensor>(x: T): T {
  return untaped(() => x.clone());
}

export interface Tape {
  /** Gradient of a scalar recorded on this tape; may be asked any number of times. `null` where `y` does not depend on `x`. */
  gradient(y: Tensor, xs: readonly Tensor[]): (Tensor | null)[];
}

/**
 * One forward, any number of backward passes, then everything recorded is released, also when something throws.
 * What must leave is cloned with {@link stopGradient} and kept: the tape's tidy disposes the rest.
 * @throws EitpError "internal" inside another tape.
 */
export function withTape<R>(f: (tape: Tape) => R): R {
  const e = engine();
  if (e.state.gradientDepth !== 0) throw new EitpError("internal", "withTape was called inside another tape; tapes do not nest");
  let result: { readonly value: R } | undefined;
  const probe = scalar(0);
  const tape: Tape = {
    gradient: (y, xs) => untaped(() => e.gradients(() => y, [...xs], undefined, true).grads.map((g) => (g as Tensor | undefined) ?? null)),
  };
  try {
    const nothing = e.gradients(
      () => {
        result = { value: f(tape) };
        return scalar(0);
      },
      [probe],
      undefined,
      true,
    );
    nothing.value.dispose();
  } catch (error) {
    // A throw in a backward pass leaves tfjs' saved tensors behind; the tape still lists them.
    for (const node of e.state.activeTape) for (const t of node.saved ?? []) if (!t.isDisposed) t.dispose();
    throw error;
  } finally {
    probe.dispose();
  }
  if (result === undefined) throw new EitpError("internal", "the tape ran no forward pass");
  return result.value;
}

interface TapeNode {
  readonly inputs: { readonly [name: string]: Tensor };
  readonly outputs: readonly Tensor[];
}
interface Repairable {
  eitpRepaired?: true;
  addTapeNode(...args: unknown[]): void;
  readonly state: { readonly activeTape: TapeNode[] };
}

/**
 * Makes second derivatives right. tfjs 4.22 tapes the clones of an op's saved outputs *before* the op itself, and its forward filter then
 * drops their paths: gradients of gradients through exp, tanh, softmax, … are silently wrong (tfjs issue 3252). Here the clones move behind
 * the node, and comparisons get the zero gradients they lack. Idempotent; `useBackend` calls it.
 */
export function repairAutodiff(): void {
  const e = engine() as unknown as Repairable;
  if (e.eitpRepaired) return;
  e.eitpRepaired = true;
  const original = e.addTapeNode;
  e.addTapeNode = function (...args) {
    original.apply(this, args);
    const tape = this.state.activeTape;
    const self = tape[tape.length - 1];
    if (self === undefined) return;
    const made = new Set(self.outputs.map((o) => o.id));
    const isClone = (n: TapeNode): boolean => {
      const inputs = Object.values(n.inputs);
      return n !== self && inputs.length === 1 && inputs.every((i) => made.has(i.id));
    };
    // At most ten tensors are saved by any op, so its clones are among the last few nodes.
    const recent = tape.splice(Math.max(0, tape.length - 11));
    tape.push(...recent.filter((n) => !isClone(n)), ...recent.filter(isClone));
  };
  const zeroGradients: readonly [string, readonly string[]][] = [
    ...["Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr"].map((name): [string, string[]] => [
      name,
      ["a", "b"],
    ]),
    ["LogicalNot", ["x"]],
  ];
  for (const [kernelName, inputs] of zeroGradients) {
    if (getGradient(kernelName) !== undefined) continue;
    registerGradient({
      kernelName,
      inputsToSave: [...inputs],
      gradFunc: (_dy, saved) => Object.fromEntries(inputs.map((name, i) => [name, () => zeros((saved[i] as Tensor).shape)])),
    });
  }
}
