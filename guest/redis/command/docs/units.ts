// Slices of static text (16 bits a character) as reply elements.

import * as reply from '../../wire/reply.ts';

/** A bulk string. */
export function bulk(at: u32, units: u32): void {
  const to = reply.bulkSpace(units);
  if (to == 0) return;
  for (let i: u32 = 0; i < units; i++) store<u8>(to + i, <u8>load<u16>(at + (i << 1)));
}
