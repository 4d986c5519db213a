// RDB files composed and taken apart by tests.

/** Checksum of an RDB file, as defined, a byte at a time. */
export function crc64(bytes: Uint8Array): bigint {
  let low = 0;
  let high = 0;
  for (const byte of bytes) {
    const index = (low ^ byte) & 255;
    const shifted = ((low >>> 8) | (high << 24)) >>> 0;
    low = (shifted ^ TABLE_LOW[index]!) >>> 0;
    high = ((high >>> 8) ^ TABLE_HIGH[index]!) >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

const TABLE_LOW = new Uint32Array(256);
const TABLE_HIGH = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = BigInt(i);
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x95ac9329ac4bc9b5n : 0n);
  TABLE_LOW[i] = Number(crc & 0xffffffffn);
  TABLE_HIGH[i] = Number(crc >> 32n);
}

/** A whole file around some records. */
export function file(records: Uint8Array | number[], version = 10): Buffer {
  const head = Buffer.from(`REDIS${String(version).padStart(4, '0')}`);
  return sealed(Buffer.concat([head, Buffer.from(records), Buffer.from([0xff])]));
}

/** Appends the checksum. */
export function sealed(body: Buffer): Buffer {
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(crc64(body));
  return Buffer.concat([body, sum]);
}

export function length(value: number): Buffer {
  if (value < 64) return Buffer.from([value]);
  if (value < 16384) return Buffer.from([0x40 | (value >> 8), value & 255]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

export function string(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value);
  return Buffer.concat([length(bytes.length), bytes]);
}

/** A key with a value in its form in the file. */
export function key(type: number, name: string, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type]), string(name), value]);
}

/** A ziplist; integers are entries of their own kind, in every width. */
export function ziplist(items: (string | number | bigint)[]): Buffer {
  const entries: Buffer[] = [];
  let before = 0;
  for (const item of items) {
    const own = typeof item === 'string' ? ziplistString(item) : ziplistInteger(BigInt(item));
    const back = before < 254 ? Buffer.from([before]) : Buffer.alloc(5, 254);
    if (before >= 254) back.writeUInt32LE(before, 1);
    entries.push(Buffer.concat([back, own]));
    before = back.length + own.length;
  }
  const body = Buffer.concat(entries);
  const head = Buffer.alloc(10);
  head.writeUInt32LE(body.length + 11, 0);
  head.writeUInt32LE(10 + body.length - before, 4);
  head.writeUInt16LE(items.length, 8);
  return Buffer.concat([head, body, Buffer.from([255])]);
}

function ziplistString(item: string): Buffer {
  const bytes = Buffer.from(item, 'latin1');
  let head = Buffer.from([bytes.length]);
  if (bytes.length >= 16384) {
    head = Buffer.alloc(5, 0x80);
    head.writeUInt32BE(bytes.length, 1);
  } else if (bytes.length >= 64)
    head = Buffer.from([0x40 | (bytes.length >> 8), bytes.length & 255]);
  return Buffer.concat([head, bytes]);
}

function ziplistInteger(value: bigint): Buffer {
  const fits = (bits: bigint) => BigInt.asIntN(Number(bits), value) === value;
  if (value >= 0n && value <= 12n) return Buffer.from([0xf1 + Number(value)]);
  const [mark, width] = fits(8n)
    ? [0xfe, 1]
    : fits(16n)
      ? [0xc0, 2]
      : fits(24n)
        ? [0xf0, 3]
        : fits(32n)
          ? [0xd0, 4]
          : [0xe0, 8];
  const bytes = Buffer.alloc(9);
  bytes.writeBigInt64LE(value, 1);
  bytes[0] = mark!;
  return bytes.subarray(0, width! + 1);
}

/** A zipmap; every third value is followed by unused bytes. */
export function zipmap(pairs: [string, string][]): Buffer {
  const size = (bytes: number) => {
    const long = Buffer.alloc(5, 254);
    long.writeUInt32LE(bytes, 1);
    return bytes < 254 ? Buffer.from([bytes]) : long;
  };
  const parts = pairs.flatMap(([field, value], i) => {
    const unused = i % 3;
    return [
      size(field.length),
      Buffer.from(field, 'latin1'),
      size(value.length),
      Buffer.from([unused]),
      Buffer.from(value, 'latin1'),
      Buffer.alloc(unused),
    ];
  });
  return Buffer.concat([Buffer.from([Math.min(pairs.length, 254)]), ...parts, Buffer.from([255])]);
}

/** A listpack of texts shorter than 4096 bytes. */
export function listpack(items: string[]): Buffer {
  const body = Buffer.concat(
    items.map((item) => {
      const bytes = Buffer.from(item, 'latin1');
      const head =
        bytes.length < 64
          ? [0x80 | bytes.length]
          : [0xe0 | (bytes.length >> 8), bytes.length & 255];
      const size = head.length + bytes.length;
      const back = size < 128 ? [size] : [size >> 7, (size & 127) | 128];
      return Buffer.concat([Buffer.from(head), bytes, Buffer.from(back)]);
    }),
  );
  const head = Buffer.alloc(6);
  head.writeUInt32LE(body.length + 7, 0);
  head.writeUInt16LE(items.length, 4);
  return Buffer.concat([head, body, Buffer.from([255])]);
}

/** Fields and values at the borders of what ziplists encode. */
export const NUMBERS: [string, bigint][] = [
  0n,
  12n,
  13n,
  -1n,
  127n,
  -128n,
  128n,
  32767n,
  -32768n,
  32768n,
  8388607n,
  -8388608n,
  8388608n,
  2147483647n,
  -2147483648n,
  2147483648n,
  9223372036854775807n,
  -9223372036854775808n,
].map((value, i) => [`n${i}`, value]);
