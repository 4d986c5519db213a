// The limits of memories and tables, as modules encode them.

import { malformed, type Reader } from './reader.ts';
import { MEMORY64, unsupported } from './refuse.ts';

export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
  readonly shared: boolean;
}

/** `bound`: the most pages or entries. */
export function limits(reader: Reader, bound: number): Limits {
  const at = reader.pos;
  const flags = reader.byte();
  if (flags & 4) throw unsupported(MEMORY64);
  if (flags & 8) throw unsupported('custom page sizes');
  if (flags > 3 || flags === 2 || (flags === 3 && bound !== 65536)) {
    throw malformed('malformed limits', at);
  }
  const minimum = reader.u32();
  const maximum = flags & 1 ? reader.u32() : undefined;
  if (minimum > bound || (maximum !== undefined && (maximum > bound || maximum < minimum))) {
    throw malformed('limits out of range', at);
  }
  return { minimum, maximum, shared: flags === 3 };
}
