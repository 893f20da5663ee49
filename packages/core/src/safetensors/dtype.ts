/** The array each stored type is read into and written from. Half precision is widened to float32, exactly; BOOL holds 0 and 1. */
export interface SafetensorsArrays {
  readonly BOOL: Uint8Array;
  readonly U8: Uint8Array;
  readonly I8: Int8Array;
  readonly I16: Int16Array;
  readonly U16: Uint16Array;
  readonly F16: Float32Array;
  readonly BF16: Float32Array;
  readonly I32: Int32Array;
  readonly U32: Uint32Array;
  readonly F32: Float32Array;
  readonly F64: Float64Array;
  readonly I64: BigInt64Array;
  readonly U64: BigUint64Array;
}
/** Stored types this codec reads and writes. */
export type SafetensorsDtype = keyof SafetensorsArrays;

/** Bytes per element. The order is that of the reference implementation, which lays tensors out from the last type to the first. */
export const dtypeBytes: { readonly [D in SafetensorsDtype]: number } = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};

/** All types, in layout order (see {@link dtypeBytes}). */
export const dtypes: readonly SafetensorsDtype[] = Object.keys(dtypeBytes) as SafetensorsDtype[];

/** Whether `name` is one of {@link dtypes}; own keys only, so "constructor" is not one. */
export function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(dtypeBytes, name);
}
