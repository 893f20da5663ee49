import { type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { meet } from "./broadcast.ts";
import { areFloats, define, replace, typeNumbers } from "./define.ts";

type T = TensorInfo;

/** Numbers as in `BinaryOp` of kernels.h; the integer forms are those that JavaScript's kernels compute exactly, too. */
const arithmetic: readonly (readonly [string, number, "floats" | "integers too"])[] = [
  ["Add", 0, "integers too"],
  ["Sub", 1, "integers too"],
  ["Multiply", 2, "integers too"],
  ["RealDiv", 3, "floats"],
  ["Maximum", 4, "integers too"],
  ["Minimum", 5, "integers too"],
  ["SquaredDifference", 6, "floats"],
];
const comparisons: readonly (readonly [string, number])[] = [
  ["Equal", 7],
  ["NotEqual", 8],
  ["Greater", 9],
  ["GreaterEqual", 10],
  ["Less", 11],
  ["LessEqual", 12],
];
/** As in `UnaryOp` of kernels.h. */
const unary: readonly (readonly [string, number])[] = [
  ["Neg", 0],
  ["Square", 1],
  ["Sqrt", 2],
  ["Rsqrt", 3],
  ["Exp", 4],
  ["Log", 5],
  ["Sigmoid", 6],
  ["Tanh", 7],
  ["Abs", 8],
  ["Reciprocal", 9],
  ["Relu", 10],
];

export function registerElementwise(): void {
  for (const [name, op, types] of arithmetic)
    binary(name, op, (dtype) => (dtype === "float32" || (types === "integers too" && dtype === "int32") ? dtype : null));
  for (const [name, op] of comparisons) binary(name, op, (dtype) => (typeNumbers[dtype] === undefined ? null : "bool"));
  for (const [name, op] of [
    ["LogicalAnd", 13],
    ["LogicalOr", 14],
  ] as const)
    binary(name, op, (dtype) => (dtype === "bool" ? "bool" : null));
  for (const [name, op] of unary) each(name, op, "float32", "float32");
  each("IsFinite", 11, "float32", "bool");
  each("IsNan", 12, "float32", "bool");
  each("LogicalNot", 13, "bool", "bool");

  replace<{ condition: T; t: T; e: T }>("Select", (stock) => (call) => {
    const { condition, t, e } = call.inputs;
    const fits = condition.dtype === "bool" && t.dtype === e.dtype && typeNumbers[t.dtype] !== undefined;
    if (!fits || util.sizeFromShape(condition.shape) !== util.sizeFromShape(t.shape)) return stock(call);
    const { backend } = call;
    const y = backend.output(t.shape, t.dtype);
    const at = [condition, t, e, y].map((x) => backend.address(x));
    backend.call(backend.numberOf("select"), t.dtype === "bool" ? 1 : 4, util.sizeFromShape(t.shape), ...at);
    return y;
  });
  replace<{ x: T }, { dtype: DataType }>("Cast", (stock) => (call) => {
    const { x } = call.inputs;
    const { dtype } = call.attrs;
    const [from, to] = [typeNumbers[x.dtype], typeNumbers[dtype]];
    if (from === undefined || to === undefined || from === to) return stock(call);
    const { backend } = call;
    const y = backend.output(x.shape, dtype);
    backend.call(backend.numberOf("cast"), from, to, util.sizeFromShape(x.shape), backend.address(x), backend.address(y));
    return y;
  });
  define<{ flag: T; yes: T; no: T }>("EitChoose", ({ inputs: { flag, yes, no }, backend }) => {
    const { dataId, shape, dtype } = backend.first(flag) !== 0 ? yes : no;
    backend.incRef(dataId);
    return { dataId, shape, dtype };
  });
}

function binary(name: string, op: number, resultOf: (dtype: DataType) => DataType | null): void {
  replace<{ a: T; b: T }>(name, (stock) => (call) => {
    const { a, b } = call.inputs;
    const dtype = a.dtype === b.dtype ? resultOf(a.dtype) : null;
    if (dtype === null) return stock(call);
    const { backend } = call;
    const { shape, dims, stridesA, stridesB } = meet(a.shape, b.shape);
    // More axes than the frame holds do not come up.
    if (dims.length > 12) return stock(call);
    const y = backend.output(shape, dtype);
    const addresses = [a, b, y].map((x) => backend.address(x));
    const type = typeNumbers[a.dtype] as number;
    backend.call(backend.numberOf("binary"), op, type, dims.length, ...addresses, ...dims, ...stridesA, ...stridesB);
    return y;
  });
}

function each(name: string, op: number, from: DataType, to: DataType): void {
  replace<{ x: T }>(name, (stock) => (call) => {
    const { x } = call.inputs;
    if (x.dtype !== from) return stock(call);
    const { backend } = call;
    const y = backend.output(x.shape, to);
    backend.call(backend.numberOf("unary"), op, util.sizeFromShape(x.shape), backend.address(x), backend.address(y));
    return y;
  });
}

/** Sums of several tensors of one shape. */
export function registerAddN(): void {
  replace<T[]>("AddN", (stock) => (call) => {
    const { inputs, backend } = call;
    const [first, ...rest] = inputs;
    if (first === undefined || rest.length === 0 || !areFloats(...inputs)) return stock(call);
    const size = util.sizeFromShape(first.shape);
    const y = backend.output(first.shape, "float32");
    const to = backend.address(y);
    let from = backend.address(first);
    for (const x of rest) {
      backend.call(backend.numberOf("binary"), 0, 0, 1, from, backend.address(x), to, size, 1, 1);
      from = to;
    }
    return y;
  });
}
