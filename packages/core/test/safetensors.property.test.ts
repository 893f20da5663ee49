import { decodeSafetensors, encodeSafetensors, headerBytes, type NamedTensor } from "@eitp/core/safetensors";
import { EitpError } from "@eitp/engine/error";
import fc from "fast-check";
import { expect, test } from "vitest";

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const shapes = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
const floats = fc
  .tuple(fc.constantFrom("F32" as const), shapes)
  .chain(([dtype, shape]) => fc.float32Array({ minLength: size(shape), maxLength: size(shape) }).map((data) => ({ dtype, shape, data })));
const halves = fc.tuple(fc.constantFrom("F16" as const, "BF16" as const), shapes).chain(([dtype, shape]) =>
  // Multiples of 1/64 below 2 are exact in both half precisions.
  fc
    .array(fc.integer({ min: -127, max: 127 }), { minLength: size(shape), maxLength: size(shape) })
    .map((n) => ({ dtype, shape, data: Float32Array.from(n, (x) => x / 64) })),
);
const integers = shapes.chain((shape) =>
  fc.int32Array({ minLength: size(shape), maxLength: size(shape) }).map((data) => ({ dtype: "I32" as const, shape, data })),
);
const longs = shapes.chain((shape) =>
  fc.bigInt64Array({ minLength: size(shape), maxLength: size(shape) }).map((data) => ({ dtype: "I64" as const, shape, data })),
);
const booleans = shapes.chain((shape) =>
  fc.uint8Array({ minLength: size(shape), maxLength: size(shape), max: 1 }).map((data) => ({ dtype: "BOOL" as const, shape, data })),
);
const names = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__" && name !== "__metadata__");
const files = fc.record({
  tensors: fc.uniqueArray(
    fc.tuple(names, fc.oneof(floats, halves, integers, longs, booleans)).map(([name, tensor]): NamedTensor => ({ name, ...tensor })),
    { maxLength: 5, selector: (tensor) => tensor.name },
  ),
  metadata: fc.dictionary(names, fc.string({ unit: "binary" }), { maxKeys: 3, noNullPrototype: true }),
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(files, ({ tensors, metadata }) => {
      const read = decodeSafetensors(encodeSafetensors(tensors, metadata));
      expect(read.metadata).toEqual(metadata);
      expect(read.tensors).toEqual(new Map(tensors.map(({ name, ...tensor }) => [name, tensor])));
    }),
  );
});

test("corrupt bytes are read or refused, never anything else", () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(files, edits, ({ tensors, metadata }, changes) => {
      const bytes = encodeSafetensors(tensors, metadata);
      const header = headerBytes(bytes, bytes.length);
      for (const [at, byte] of changes) bytes[at % header] = byte;
      readOrRefuse(bytes);
    }),
    { numRuns: 1000 },
  );
});

test("a file cut off anywhere is refused", () => {
  fc.assert(
    fc.property(files, fc.nat(), ({ tensors, metadata }, cut) => {
      const bytes = encodeSafetensors(tensors, metadata);
      const { code } = readOrRefuse(bytes.subarray(0, cut % bytes.length)) ?? {};
      expect(code).toBe("data");
    }),
  );
});

test("arbitrary bytes behind a plausible length are refused or read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (body) => {
      const bytes = new Uint8Array(8 + body.length);
      bytes[0] = body.length;
      bytes.set(body, 8);
      readOrRefuse(bytes);
    }),
  );
});

function readOrRefuse(bytes: Uint8Array): EitpError | undefined {
  try {
    decodeSafetensors(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof EitpError && error.code === "data") return error;
    throw error;
  }
}
