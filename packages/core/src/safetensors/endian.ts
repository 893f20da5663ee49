import { EitpError } from "@eitp/engine/error";

/** Refuses big-endian machines: the format is little-endian, and the codec views memory as numbers. */
export function assertLittleEndian(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
    throw new EitpError("unavailable", "safetensors needs a little-endian machine; this one is big-endian.");
  }
}
