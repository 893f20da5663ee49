/** Four significant digits: "2.718", "12,345", "3.0e-5". NaN and infinities as such. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < 1e-3 || size >= 1e9) return minus(value.toExponential(2));
  if (size >= 1000) return minus(group(Math.round(value)));
  return minus(value.toPrecision(4));
}

/** An integer with its digits grouped: "1,115,394". */
export function formatInteger(value: number): string {
  return Number.isFinite(value) ? minus(group(Math.round(value))) : formatNumber(value);
}

/** "3 h 12 min", "4 min 5 s", "12.3 s". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return formatNumber(seconds);
  if (seconds < 60) return `${seconds.toPrecision(3)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

export function formatBytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}

/** Short label of a tick: "0.25", "12k", "1e-4", "3M". */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size < 1e-3 || size >= 1e9) return minus(round(value).toExponential().replace("e+", "e"));
  if (size >= 1e6) return minus(`${round(value / 1e6)}M`);
  if (size >= 1e4) return minus(`${round(value / 1e3)}k`);
  return minus(String(round(value)));
}

/** Removes the noise of decimal steps in binary (0.30000000000000004). */
function round(value: number): number {
  return Number(value.toPrecision(10));
}

function group(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

function minus(text: string): string {
  return text.replace(/^-/, "−");
}
