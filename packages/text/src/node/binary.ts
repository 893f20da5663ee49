/** How much of the start of a file is looked at for control characters. */
const sample = 64 * 1024;
/** Text has next to none; tab, line feed, form feed, carriage return, backspace and escape do not count. */
const mostControls = 0.05;

/** Why these bytes (from `offset` of a file on) are no text, or undefined where they may be. */
export function binaryReason(bytes: Uint8Array, offset: number): string | undefined {
  if (offset === 0 && isUtf16(bytes)) return "it starts with a UTF-16 byte order mark (convert it: iconv -f utf-16 -t utf-8)";
  const zero = bytes.indexOf(0);
  if (zero >= 0) return `byte offset ${offset + zero} holds a NUL byte`;
  if (offset > 0) return undefined;
  const head = bytes.subarray(0, sample);
  const controls = head.reduce((count, byte) => count + (isControl(byte) ? 1 : 0), 0);
  if (controls <= mostControls * head.length) return undefined;
  const percent = Math.round((100 * controls) / head.length);
  return `${percent} % of its first ${head.length} bytes are control characters`;
}

function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}
function isControl(byte: number): boolean {
  return byte === 0x7f || (byte < 0x20 && byte !== 0x1b && (byte < 0x08 || byte > 0x0d || byte === 0x0b));
}
