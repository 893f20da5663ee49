/**
 * Half precision ↔ float32 on bit patterns. Widening is exact, subnormals, infinities and NaN payloads included; narrowing rounds to
 * nearest, ties to even, and keeps NaN a NaN.
 */

/** float32 bits of an IEEE binary16 pattern. */
export function f16ToF32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal: fraction · 2⁻²⁴. Shift the leading one out; every value is a normal float32.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

/** IEEE binary16 pattern nearest to these float32 bits. */
export function f32ToF16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13);
  if (magnitude < 0x33000000) return sign; // below 2⁻²⁵
  // Subnormal result: the significand with its hidden one, shifted to units of 2⁻²⁴.
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, 126 - (magnitude >>> 23));
}

/** bfloat16 pattern nearest to these float32 bits. */
export function f32ToBf16Bits(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  // The quiet bit keeps a NaN whose payload lies in the dropped half from turning into infinity.
  if (magnitude > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits >>> 16) & 0x8000) | roundShift(magnitude, 16);
}

/** value / 2^shift, to nearest, ties to even; a carry into the exponent is the right answer. */
function roundShift(value: number, shift: number): number {
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const floor = value >>> shift;
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor;
}
