import { EitpError } from "@eitp/engine/error";
import { dispose, keep, type Tensor, Tensor as TensorClass, tensor, tidy } from "@tensorflow/tfjs-core";
import type { Saved } from "../spec/index.ts";

const isTensor = (x: unknown): x is Tensor => x instanceof TensorClass;
const join = (path: string, key: string | number): string => (path === "" ? String(key) : `${path}/${key}`);

/** Every tensor of a tree with its path ("density/own/0"), in key order. */
export function tensorsOf(tree: Saved, path = ""): readonly (readonly [path: string, tensor: Tensor])[] {
  if (isTensor(tree)) return [[path, tree]];
  if (tree === null || typeof tree !== "object") return [];
  return Object.entries(tree).flatMap(([key, value]) => tensorsOf(value, join(path, key)));
}

/** Copies a tree, replacing each tensor. The result has the structure of the argument, which the type system cannot say: one cast. */
export function mapTensors<S extends Saved>(tree: S, f: (t: Tensor, path: string) => Tensor): S {
  const walk = (node: Saved, path: string): Saved => {
    if (isTensor(node)) return f(node, path);
    if (node === null || typeof node !== "object") return node;
    if (Array.isArray(node)) return node.map((value: Saved, i) => walk(value, join(path, i)));
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, walk(value, join(path, key))]));
  };
  return walk(tree, "") as S;
}

/** Makes a tree inside a tidy and keeps its tensors: the trainer owns them now. */
export function owned<S extends Saved>(make: () => S): S {
  const made: { tree?: S } = {};
  tidy(() => {
    made.tree = make();
    for (const [, t] of tensorsOf(made.tree)) keep(t);
  });
  return made.tree as S;
}

/** Keeps the new tree and releases what only the old one held. */
export function adopt<S extends Saved>(old: Saved, now: S): S {
  for (const [, t] of tensorsOf(now)) if (!t.kept) keep(t);
  disposeExcept(old, now);
  return now;
}

/** Releases the tensors of `old` that none of `live` holds (by identity). */
export function disposeExcept(old: Saved, ...live: readonly Saved[]): void {
  const alive = new Set(live.flatMap((tree) => tensorsOf(tree).map(([, t]) => t)));
  dispose(tensorsOf(old).flatMap(([, t]) => (alive.has(t) || t.isDisposed ? [] : [t])));
}

/** One tensor on the host: its bytes as float32 or int32. */
export interface HostTensor {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}
/** A tree as JSON plus its tensors by path; what a checkpoint stores. */
export interface EncodedTree {
  readonly json: Json;
  readonly tensors: ReadonlyMap<string, HostTensor>;
}
/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Reads a tree asynchronously. Numbers that JSON loses (−0, NaN, ±Infinity) are written as `{ "$number": "-0" }`. */
export async function encodeTree(tree: Saved): Promise<EncodedTree> {
  const entries = await Promise.all(
    tensorsOf(tree).map(async ([path, t]): Promise<[string, HostTensor]> => {
      const data = await t.data();
      // By dtype, not by array: the cpu backend gives the bytes of a bool that was cast to float32.
      if (t.dtype === "float32") return [path, { dtype: t.dtype, shape: t.shape, data: new Float32Array(data) }];
      if (t.dtype === "int32") return [path, { dtype: t.dtype, shape: t.shape, data: new Int32Array(data) }];
      throw new EitpError("usage", `state '${path}' has dtype ${t.dtype}; states hold float32 and int32 tensors`);
    }),
  );
  return { json: toJson(tree, ""), tensors: new Map(entries) };
}

function toJson(node: Saved, path: string): Json {
  if (isTensor(node)) return { $tensor: path };
  if (typeof node === "number" && (!Number.isFinite(node) || Object.is(node, -0)))
    return { $number: Object.is(node, -0) ? "-0" : String(node) };
  if (node === null || typeof node !== "object") return node;
  if (Array.isArray(node)) return node.map((value: Saved, i) => toJson(value, join(path, i)));
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, toJson(value, join(path, key))]));
}

/**
 * Fills the tree that `init` made with saved values, so the type of the template is the type of the result. New tensors belong to the caller.
 * @throws EitpError "data" where the saved structure, a shape or a dtype differs, naming the path.
 */
export function decodeTree<S extends Saved>(template: S, saved: EncodedTree): S {
  const made: Tensor[] = [];
  const fail = (path: string, expected: string, found: string): never => {
    dispose(made);
    throw new EitpError(
      "data",
      `saved state does not fit at '${path}': expected ${expected}, found ${found}. It comes from another configuration`,
    );
  };
  const restore = (node: Saved, json: Json | undefined, path: string): Saved => {
    if (isTensor(node)) {
      const host = saved.tensors.get(path);
      if (host === undefined) return fail(path, `a tensor [${node.shape}]`, "none");
      if (host.dtype !== node.dtype || host.shape.join() !== node.shape.join())
        return fail(path, `${node.dtype} [${node.shape}]`, `${host.dtype} [${host.shape}]`);
      const t = tensor(host.data, [...host.shape], host.dtype);
      made.push(t);
      return t;
    }
    if (typeof node === "number") {
      if (typeof json === "number") return json;
      if (json !== null && typeof json === "object" && "$number" in json) return Number(json["$number"]);
      return fail(path, "a number", describe(json));
    }
    if (node === null || typeof node !== "object")
      return json !== undefined && typeof json === typeof node && (json === null || typeof json !== "object")
        ? json
        : fail(path, describe(node), describe(json));
    if (json === undefined || json === null || typeof json !== "object") return fail(path, "a tree", describe(json));
    // Sorted: a term may write its keys in another order than its `init` did.
    const keys = Object.keys(node).sort().join();
    if (keys !== Object.keys(json).sort().join() || Array.isArray(node) !== Array.isArray(json))
      return fail(path, `{${keys}}`, `{${Object.keys(json)}}`);
    const inner = json as { readonly [key: string]: Json };
    const entries = Object.entries(node).map(([key, value]) => [key, restore(value, inner[key], join(path, key))] as const);
    return Array.isArray(node) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
  };
  return restore(template, saved.json, "") as S;
}
const describe = (x: unknown): string => (x === undefined ? "nothing" : x === null ? "null" : typeof x);
