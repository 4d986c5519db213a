// Linked guests: modules that contain libdbos' machine, run untranslated, and can address all of physical
// memory.

import { RingzeroError } from '../errors.ts';
import { Reader, malformed } from '../translator/reader.ts';
import type { GuestImages } from './images.ts';

const HEADER_BYTES = 8;
const SECTION_IMPORT = 2;
const SECTION_START = 8;
const SECTION_DATA = 11;
const IMPORT_FUNCTION = 0;
const IMPORT_TABLE = 1;
const IMPORT_MEMORY = 2;
const IMPORT_GLOBAL = 3;

/**
 * The images of a linked guest: its own bytes, and none for snapshots.
 *
 * Each thread that attaches creates an instance, so instantiation must not change memory: a module with a
 * data section or a start function fails with RZ_MODULE_UNSUPPORTED, an invalid one with RZ_MODULE_MALFORMED.
 */
export function linkedImages(bytes: Uint8Array): GuestImages {
  if (!WebAssembly.validate(bytes as BufferSource)) throw malformed('it does not validate', 0);
  const reader = new Reader(bytes, HEADER_BYTES);
  let initialPages: number | undefined;
  while (reader.pos < bytes.length) {
    const id = reader.byte();
    const end = reader.u32() + reader.pos;
    if (id === SECTION_START) throw refused('a start function');
    if (id === SECTION_DATA && reader.u32() > 0) throw refused('a data section');
    if (id === SECTION_IMPORT) initialPages = importedMemory(reader);
    reader.pos = end;
  }
  if (initialPages === undefined) throw refused('no imported memory');
  return {
    main: bytes,
    snapshot: new Uint8Array(0),
    info: { initialPages, maximumPages: undefined, registerBytes: 0 },
  };
}

function refused(what: string): RingzeroError {
  return new RingzeroError(
    'RZ_MODULE_UNSUPPORTED',
    `a linked guest runs once per thread on one memory, and this one has ${what}`,
  );
}

/** The minimum, in pages of 64 KiB, of the memory in the import section; undefined if it imports none. */
function importedMemory(reader: Reader): number | undefined {
  let pages: number | undefined;
  for (let left = reader.count(); left > 0; left--) {
    reader.nameBytes();
    reader.nameBytes();
    const kind = reader.byte();
    if (kind === IMPORT_FUNCTION) reader.u32();
    else if (kind === IMPORT_GLOBAL) reader.skip(2);
    else if (kind === IMPORT_TABLE || kind === IMPORT_MEMORY) {
      if (kind === IMPORT_TABLE) reader.byte();
      const hasMaximum = (reader.byte() & 1) !== 0;
      const minimum = reader.u32();
      if (hasMaximum) reader.u32();
      if (kind === IMPORT_MEMORY) pages = minimum;
    } else throw refused(`an import of kind ${kind}`);
  }
  return pages;
}
