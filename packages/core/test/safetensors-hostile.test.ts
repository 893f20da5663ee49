import { decodeSafetensors } from "@eitp/core/safetensors";
import { EitpError } from "@eitp/engine/error";
import { describe, expect, test } from "vitest";

/** A file of this header text (or these bytes) and `dataLength` zero bytes. */
function file(header: string | Uint8Array, dataLength = 0, declared?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const entry = (dtype: string, shape: string, offsets: string): string => `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;
const f32 = (shape: string, offsets: string): string => entry('"F32"', shape, offsets);

const cases: readonly [what: string, bytes: Uint8Array, message: RegExp][] = [
  ["an empty file", new Uint8Array(0), /at least 8 bytes/],
  ["a file of seven bytes", new Uint8Array(7), /at least 8 bytes/],
  ["no header", file(""), /does not start with/],
  ["a header beyond the file", file("{}", 0, 3n), /header length 3 reaches beyond the file, which has 10 bytes/],
  ["a header of 2⁶⁴ − 1 bytes", file("{}", 0, 2n ** 64n - 1n), /exceeds the limit of 100000000/],
  ["a header of 100,000,001 bytes", file("{}", 0, 100_000_001n), /exceeds the limit/],
  ["a text file", new TextEncoder().encode("It was a dark and stormy night."), /not a safetensors file/],
  ["invalid UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /not valid UTF-8/],
  ["a byte order mark", file("\ufeff{}"), /does not start with/],
  ["leading space", file(" {}"), /does not start with/],
  ["invalid JSON", file("{'a':1}"), /not valid JSON/],
  ["an array", file("[]"), /does not start with/],
  ["deep nesting", file(`{"a":${"[".repeat(200_000)}`), /not valid JSON/],
  ["deep valid nesting", file(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`), /nests 50001 levels deep; expected at most 3/],
  ["a number for a tensor", file('{"a":1}'), /tensor "a" must be an object with dtype, shape, data_offsets, got 1/],
  ["null for a tensor", file('{"a":null}'), /got null/],
  ["duplicate names", file(`{"a":${f32("[1]", "[0,4]")},"a":${f32("[1]", "[0,4]")}}`, 4), /duplicate name "a"/],
  ["duplicate names, one escaped", file(`{"a":${f32("[1]", "[0,4]")},"\\u0061":${f32("[1]", "[0,4]")}}`, 4), /duplicate name "a"/],
  ["duplicate fields", file('{"a":{"dtype":"F32","dtype":"I32","shape":[],"data_offsets":[0,4]}}', 4), /duplicate name "dtype"/],
  ["duplicate metadata", file('{"__metadata__":{"x":"1","x":"2"}}'), /duplicate name "x"/],
  ["__proto__", file(`{"__proto__":${f32("[1]", "[0,4]")}}`, 4), /forbidden name "__proto__"/],
  ["__proto__ in metadata", file('{"__metadata__":{"__proto__":"x"}}'), /forbidden name/],
  ["__proto__ in a tensor", file(`{"a":{"__proto__":${f32("[1]", "[0,4]")}}}`, 4), /forbidden name/],
  ["half a surrogate pair", file(`{"\\ud800":${f32("[1]", "[0,4]")}}`, 4), /not valid Unicode/],
  ["metadata that is a list", file('{"__metadata__":["x"]}'), /must map strings to strings/],
  ["metadata that is a number", file('{"__metadata__":{"x":1}}'), /__metadata__."x" must be a string, got 1/],
  ["no dtype", file('{"a":{"shape":[1],"data_offsets":[0,4]}}', 4), /tensor "a" has no field "dtype"/],
  ["no shape", file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /has no field "shape"/],
  ["no offsets", file('{"a":{"dtype":"F32","shape":[1]}}', 4), /has no field "data_offsets"/],
  ["an unknown field", file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', 4), /unknown field "x"/],
  ["an unknown dtype", file(`{"a":${entry('"F128"', "[1]", "[0,16]")}}`, 16), /dtype "F128"; supported are BOOL, U8/],
  ["an inherited dtype", file(`{"a":${entry('"constructor"', "[1]", "[0,4]")}}`, 4), /dtype "constructor"/],
  ["a dtype that is no string", file(`{"a":${entry("4", "[1]", "[0,4]")}}`, 4), /dtype 4/],
  ["a negative shape", file(`{"a":${f32("[-1]", "[0,4]")}}`, 4), /shape \[-1\]; expected integers/],
  ["two negative sizes", file(`{"a":${f32("[-1,-1]", "[0,4]")}}`, 4), /shape \[-1,-1\]/],
  ["a fractional shape", file(`{"a":${f32("[0.5,2]", "[0,4]")}}`, 4), /shape \[0.5,2\]/],
  ["a shape of strings", file(`{"a":${f32('["1"]', "[0,4]")}}`, 4), /shape \["1"\]/],
  ["a shape that is no list", file(`{"a":${f32("1", "[0,4]")}}`, 4), /shape 1/],
  ["an infinite shape", file(`{"a":${f32("[1e999]", "[0,4]")}}`, 4), /shape \[null\]/],
  ["an overflowing shape", file(`{"a":${f32("[4294967296,4294967296]", "[0,4]")}}`, 4), /size overflows/],
  ["a size that needs more bytes", file(`{"a":${f32("[2]", "[0,4]")}}`, 4), /\(4 bytes\), but F32 \[2\] takes 8/],
  ["offsets that run backwards", file(`{"a":${f32("[1]", "[4,0]")}}`, 4), /takes 4/],
  ["negative offsets", file(`{"a":${f32("[1]", "[-4,0]")}}`, 4), /data_offsets \[-4,0\]; expected two integers/],
  ["three offsets", file(`{"a":${f32("[1]", "[0,4,4]")}}`, 4), /expected two integers/],
  ["offsets beyond the data", file(`{"a":${f32("[2]", "[0,8]")}}`, 4), /beyond the 4 bytes of data/],
  ["an overlap", file(`{"a":${f32("[2]", "[0,8]")},"b":${f32("[1]", "[4,8]")}}`, 8), /tensor "b" overlaps/],
  ["the same bytes twice", file(`{"a":${f32("[1]", "[0,4]")},"b":${f32("[1]", "[0,4]")}}`, 4), /tensor "b" overlaps/],
  ["a gap", file(`{"a":${f32("[1]", "[0,4]")},"b":${f32("[1]", "[8,12]")}}`, 12), /gap of 4 bytes before tensor "b"/],
  ["a gap at the start", file(`{"a":${f32("[1]", "[4,8]")}}`, 8), /gap of 4 bytes before tensor "a"/],
  ["trailing bytes", file(`{"a":${f32("[1]", "[0,4]")}}`, 5), /1 trailing bytes/],
  ["data without tensors", file("{}", 1), /1 trailing bytes/],
];

describe("hostile files", () => {
  test.each(cases)("%s is refused, and the file is named", (_, bytes, message) => {
    let thrown: unknown;
    try {
      decodeSafetensors(bytes, "weights.bin");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(EitpError);
    expect((thrown as EitpError).code).toBe("data");
    expect((thrown as EitpError).message).toMatch(message);
    expect((thrown as EitpError).message).toMatch(/^weights\.bin: /);
    expect((thrown as EitpError).message.length).toBeLessThan(600);
  });

  test("a BOOL that is neither 0 nor 1 is refused", () => {
    const bytes = file(`{"a":${entry('"BOOL"', "[1]", "[0,1]")}}`, 1);
    bytes[bytes.length - 1] = 2;
    expect(() => decodeSafetensors(bytes)).toThrow(/tensor "a": BOOL element 0 is 2/);
  });

  test("an empty file with a header is fine", () => {
    expect(decodeSafetensors(file("{}   "))).toEqual({ tensors: new Map(), metadata: {} });
  });
});
