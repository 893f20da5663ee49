import { dispose, keep, stack, Tensor, tidy } from "@tensorflow/tfjs-core";
import type { Saved, TermValue } from "../spec/index.ts";
import { encodeTree, owned, tensorsOf } from "../train/tree.ts";

/** Values of the scalars that `make` computes in a tidy, by one asynchronous read. */
export async function scalars(make: () => readonly Tensor[]): Promise<readonly number[]> {
  const made = tidy(() => keep(stack([...make()])));
  const values = await made.data();
  made.dispose();
  return [...values];
}

/** A tree on the host: its JSON, and every tensor's shape and bits as text; equal trees give equal records. */
export async function bitsOf(tree: Saved): Promise<{ readonly [path: string]: string }> {
  const { json, tensors } = await encodeTree(tree);
  const entries = [...tensors].map(([path, { dtype, shape, data }]) => {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    return [path, `${dtype} [${shape}] ${words.join(" ")}`] as const;
  });
  return { "(values)": JSON.stringify(json), ...Object.fromEntries(entries) };
}

/** Bits of a tree that `make` computes in a tidy. */
export async function bitsOfMade(make: () => Saved): Promise<{ readonly [path: string]: string }> {
  const tree = owned(make);
  const bits = await bitsOf(tree);
  dispose(tensorsOf(tree).map(([, t]) => t));
  return bits;
}

/** Where two records of bits differ first, or null. */
export function firstDifference(a: { readonly [path: string]: string }, b: { readonly [path: string]: string }): string | null {
  for (const path of new Set([...Object.keys(a), ...Object.keys(b)])) if (a[path] !== b[path]) return path;
  return null;
}

/** The structure of a tree: every tensor's dtype and shape, every key, the type of every other value; no values. */
export function structureOf(tree: Saved): string {
  if (tree === null) return "null";
  if (typeof tree !== "object") return typeof tree;
  if (tree instanceof Tensor) return `${tree.dtype}[${tree.shape}]`;
  const inner = Object.entries(tree).map(([key, value]: [string, Saved]) => `${key}:${structureOf(value)}`);
  return Array.isArray(tree) ? `(${inner})` : `{${inner}}`;
}

/** Every tensor of a term's value under a name for messages. */
export function outputsOf(value: TermValue): { readonly [name: string]: Tensor } {
  const named = (group: string, record: { readonly [name: string]: Tensor } = {}): [string, Tensor][] =>
    Object.entries(record).map(([name, t]) => [`${group}.${name}`, t]);
  return {
    loss: value.loss,
    ...(value.own !== undefined && { own: value.own }),
    ...Object.fromEntries([
      ...named("metrics", value.metrics),
      ...named("features", value.features),
      ...named("quantities", value.quantities),
    ]),
  };
}
