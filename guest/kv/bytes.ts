// Copies of short ranges: the engine's memory.copy is a call of about 20 ns, whatever the length.

/** `target` and `source` must not overlap. */
@inline
export function copyBytes(target: u32, source: u32, bytes: u32): void {
  if (bytes > 512) memory.copy(target, source, bytes);
  else copyShort(target, source, bytes);
}

/** The same where up to 15 bytes more may be read and written: no call, no branch but the loop's. */
@inline
export function copyWide(target: u32, source: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 16) v128.store(target + i, v128.load(source + i));
}

/** Whether all bytes from `at` up to `end` are below 128. */
export function isAscii(at: u32, end: u32): bool {
  let seen = i64x2.splat(0);
  for (; at + 16 <= end; at += 16) seen = v128.or(seen, v128.load(at));
  let rest: u32 = i8x16.bitmask(seen);
  for (; at < end; at++) rest |= load<u8>(at) & 128;
  return rest == 0;
}

function copyShort(target: u32, source: u32, bytes: u32): void {
  if (bytes >= 16) {
    let i: u32 = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(target + i, v128.load(source + i));
    v128.store(target + bytes - 16, v128.load(source + bytes - 16));
    return;
  }
  if (bytes >= 8) {
    store<u64>(target, load<u64>(source));
    store<u64>(target + bytes - 8, load<u64>(source + bytes - 8));
    return;
  }
  if (bytes >= 4) {
    store<u32>(target, load<u32>(source));
    store<u32>(target + bytes - 4, load<u32>(source + bytes - 4));
    return;
  }
  for (let i: u32 = 0; i < bytes; i++) store<u8>(target + i, load<u8>(source + i));
}
