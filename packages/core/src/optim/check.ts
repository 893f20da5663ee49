import { EitpError } from "@eitp/engine/error";

/** Refuses an option outside its range; the message names option, value and range. */
export function demand(ok: boolean, owner: string, option: string, value: unknown, range: string): void {
  if (!ok) throw new EitpError("usage", `${owner}: ${option} is ${String(value)}; expected ${range}.`);
}

export const isAtLeast = (value: number, min: number): boolean => Number.isFinite(value) && value >= min;
export const isCount = (value: number, min: number): boolean => Number.isInteger(value) && value >= min;
