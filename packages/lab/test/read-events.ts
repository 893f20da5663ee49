import { crc32c } from "@node-rs/crc32";

/** An event as an independent reader sees it: field numbers straight from event.proto, no code shared with the writer. */
export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string;
  readonly scalars: { readonly [tag: string]: number };
  readonly texts: { readonly [tag: string]: string };
  readonly sessionStatus?: number;
}

/** Splits TFRecords and checks both checksums of each. */
export function readRecords(bytes: Buffer): readonly Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    check(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8), `length at ${at}`);
    const data = bytes.subarray(at + 12, at + 12 + length);
    check(data, bytes.readUInt32LE(at + 12 + length), `data at ${at}`);
    records.push(data);
    at += length + 16;
  }
  return records;
}

/** Undoes the mask: the offset first, then the rotation. */
function check(data: Buffer, masked: number, what: string): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  const crc = ((rotated << 15) | (rotated >>> 17)) >>> 0;
  if (crc !== crc32c(data)) throw new Error(`wrong checksum of ${what}`);
}

type Field = { readonly id: number; readonly number: number; readonly bytes: Buffer };

/** Protocol-buffer wire format: varints, 64-bit, length-delimited, 32-bit. */
function* fields(data: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = data.readUInt8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const id = Math.floor(key / 8);
    const none = Buffer.alloc(0);
    switch (key % 8) {
      case 0:
        yield { id, number: varint(), bytes: none };
        break;
      case 1:
        yield { id, number: data.readDoubleLE(at), bytes: none };
        at += 8;
        break;
      case 2: {
        const length = varint();
        yield { id, number: Number.NaN, bytes: data.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        yield { id, number: data.readFloatLE(at), bytes: none };
        at += 4;
        break;
      default:
        throw new Error(`wire type ${key % 8}`);
    }
  }
}

const find = (data: Buffer, id: number): Field | undefined => [...fields(data)].find((field) => field.id === id);

export function readEvent(data: Buffer): ReadEvent {
  const scalars: { [tag: string]: number } = {};
  const texts: { [tag: string]: string } = {};
  for (const value of fields(find(data, 5)?.bytes ?? Buffer.alloc(0))) {
    const tag = find(value.bytes, 1)?.bytes.toString("utf8") ?? "";
    const tensor = find(value.bytes, 8)?.bytes;
    if (tensor === undefined) scalars[tag] = find(value.bytes, 2)?.number ?? 0;
    else texts[tag] = find(tensor, 8)?.bytes.toString("utf8") ?? "";
  }
  const version = find(data, 3)?.bytes.toString("utf8");
  const session = find(data, 7)?.bytes;
  return {
    wallTime: find(data, 1)?.number ?? 0,
    step: find(data, 2)?.number ?? 0,
    scalars,
    texts,
    ...(version !== undefined && { fileVersion: version }),
    ...(session !== undefined && { sessionStatus: find(session, 1)?.number ?? 0 }),
  };
}
