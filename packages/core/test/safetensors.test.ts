import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors, headerBytes, type NamedTensor, parseHeader, readTensor } from "@eitp/core/safetensors";
import { EitpError } from "@eitp/engine/error";
import { describe, expect, test } from "vitest";
import { f16ToF32Bits, f32ToBf16Bits, f32ToF16Bits } from "../src/safetensors/half.ts";
import fixture from "./fixtures/safetensors.json" with { type: "json" };

const reference = new Uint8Array(Buffer.from(fixture.file, "base64"));
const special = [0, -0, 1, -1.5, Infinity, -Infinity, NaN, 2 ** -24, 2 ** -14, 65504];

describe("a file of the reference implementation", () => {
  const { tensors, metadata } = decodeSafetensors(reference);
  const data = (name: string): unknown[] => [...(tensors.get(name)?.data ?? [])];

  test("is read exactly, special values included", () => {
    expect(metadata).toEqual({ format: "pt" });
    expect(data("f32")).toEqual([...special, Math.fround(1 / 3)]);
    expect(data("f16")).toEqual([...special, 0.333251953125]);
    expect(data("bf16")).toEqual([...special.slice(0, 9), 65536, 0.333984375]);
    expect(data("f64")).toEqual([Math.PI, -0]);
    expect(data("i64")).toEqual([2n ** 62n + 1n, -1n]);
    expect(data("i32")).toEqual([-7]);
    expect(data("i16")).toEqual([-300, 300]);
    expect(data("i8")).toEqual([-128, 127, 0]);
    expect(data("u8")).toEqual([255, 0, 1]);
    expect(data("bool")).toEqual([1, 0, 1]);
    expect(data('schräg "quoted" 😀\n')).toEqual([2.5]);
    expect(tensors.get("f32")?.shape).toEqual([1, 11]);
    expect(tensors.get("i32")?.shape).toEqual([]);
    expect(tensors.get("empty")?.shape).toEqual([3, 0, 2]);
  });

  test("is written again byte for byte, whatever the order of the tensors", () => {
    const named = Array.from(tensors, ([name, tensor]): NamedTensor => ({ name, ...tensor }));
    expect(encodeSafetensors(named.reverse(), metadata)).toEqual(reference);
  });

  test("is read tensor by tensor from its header alone", () => {
    const size = headerBytes(reference.subarray(0, 8), reference.length);
    const header = parseHeader(reference.subarray(0, size), reference.length);
    const info = header.tensors.get("bf16");
    if (!info) throw new Error("bf16 is missing");
    expect(readTensor(info, reference.subarray(info.begin, info.end))).toEqual(tensors.get("bf16"));
    expect(() => readTensor(info, reference.subarray(info.begin, info.end - 1))).toThrow(/expected 22 bytes of BF16 \[11\], got 21/);
    expect(() => parseHeader(reference.subarray(0, size - 1), reference.length)).toThrow(/got the first/);
  });

  test("is read the same at an odd offset of a larger buffer", () => {
    const shifted = new Uint8Array(reference.length + 3);
    shifted.set(reference, 3);
    expect(decodeSafetensors(shifted.subarray(3))).toEqual({ tensors, metadata });
  });
});

describe("half precision", () => {
  test("every binary16 pattern widens to its value and narrows back to itself", () => {
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    const wrong: number[] = [];
    for (let half = 0; half < 0x10000; half++) {
      bits[0] = f16ToF32Bits(half);
      const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
      const finite = sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
      const expected = exponent < 31 ? finite : fraction ? NaN : sign * Infinity;
      const back = exponent === 31 && fraction ? half | 0x200 : half; // NaN comes back quiet
      if (!Object.is(value[0], expected) || f32ToF16Bits(bits[0] as number) !== back) wrong.push(half);
    }
    expect(wrong).toEqual([]);
  });

  test("float32 rounds as in PyTorch", () => {
    expect(fixture.bits.map((b) => f32ToF16Bits(b >>> 0))).toEqual(fixture.f16);
    expect(fixture.bits.map((b) => f32ToBf16Bits(b >>> 0))).toEqual(fixture.bf16);
  });

  test("a NaN stays one, even when its payload is cut off", () => {
    expect(f32ToBf16Bits(0x7f800001)).toBe(0x7fc0);
    expect(f32ToF16Bits(0xff800001)).toBe(0xfe00);
  });
});

describe("the writer", () => {
  const one = { dtype: "F32", shape: [1], data: Float32Array.of(1) } as const;
  test("aligns the data to 8 bytes and pads with spaces", () => {
    const bytes = encodeSafetensors([{ name: "abc", ...one }]);
    const size = headerBytes(bytes, bytes.length);
    expect(size % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, size))).toBe(
      '{"abc":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(size - 8),
    );
  });

  test.each<[string, readonly NamedTensor[], RegExp]>([
    [
      "a duplicate",
      [
        { name: "a", ...one },
        { name: "a", ...one },
      ],
      /two tensors are called "a"/,
    ],
    ["__metadata__", [{ name: "__metadata__", ...one }], /cannot be a tensor name/],
    ["half a surrogate pair", [{ name: "\ud800", ...one }], /cannot be a tensor name/],
    ["too few values", [{ name: "a", ...one, shape: [2] }], /shape \[2\] needs 2 values, got 1/],
    ["a negative shape", [{ name: "a", ...one, shape: [-1, -1] }], /shape \[-1,-1\]/],
    ["a BOOL of 2", [{ name: "a", dtype: "BOOL", shape: [1], data: Uint8Array.of(2) }], /BOOL holds only 0 and 1/],
  ])("refuses %s", (_, tensors, message) => {
    expect(() => encodeSafetensors(tensors)).toThrow(message);
    expect(() => encodeSafetensors(tensors)).toThrow(EitpError);
  });

  test("refuses metadata that the reader would refuse", () => {
    expect(() => encodeSafetensors([], { x: "\udc00" })).toThrow(/metadata "x" is not valid Unicode/);
    expect(() => encodeSafetensors([], JSON.parse('{"__proto__":"x"}'))).toThrow(/"__proto__" cannot be a metadata key/);
    expect(() => encodeSafetensors([], JSON.parse('{"x":1}'))).toThrow(/metadata "x" must be a string, got number/);
  });
});

const python = process.env["EITP_PYTHON"];
test.skipIf(!python)("Python reads what we write (set EITP_PYTHON to a Python with safetensors and torch)", () => {
  const path = join(mkdtempSync(join(tmpdir(), "eitp-")), "ours.safetensors");
  const tensors: readonly NamedTensor[] = [
    { name: "a", dtype: "F32", shape: [2, 2], data: Float32Array.of(1, -0, NaN, Infinity) },
    { name: "b", dtype: "BF16", shape: [2], data: Float32Array.of(1.00390625, 3) },
    { name: "c", dtype: "I64", shape: [1], data: BigInt64Array.of(-5n) },
    { name: "d", dtype: "BOOL", shape: [3], data: Uint8Array.of(0, 1, 1) },
  ];
  writeFileSync(path, encodeSafetensors(tensors, { format: "pt", note: "ä" }));
  const script = `
import sys
from safetensors import safe_open
with safe_open(sys.argv[1], "pt") as f:
    print(sorted(f.metadata().items()), *[f.get_tensor(k).tolist() for k in sorted(f.keys())])`;
  const printed = execFileSync(python ?? "", ["-c", script, path], { encoding: "utf8", env: { ...process.env, PYTHONIOENCODING: "utf8" } });
  expect(printed.trim()).toBe("[('format', 'pt'), ('note', 'ä')] [[1.0, -0.0], [nan, inf]] [1.0, 3.0] [-5] [False, True, True]");
});
