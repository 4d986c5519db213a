// The file system untranslated, on a memory of its own: in the thread of a branch, which has no VM.
//
//   0                 staging
//   FIRST_PAGE ..     room for files, which grow downwards from the end

import { originals } from '../constructors.ts';
import { FILES_CHUNK_PAGES, FRAME_BYTES, STAGING_BYTES } from '../../assembly/abi/limits.ts';
import { RingzeroError } from '../errors.ts';
import { FileGuest } from './guest.ts';

const FIRST_PAGE = STAGING_BYTES / FRAME_BYTES;
/** Pages of 64 KiB: the most that the host gives. Untouched ones take no memory. */
const SIZES = [32768, 8192, 2048];

/** A file system of its own, at first empty. */
export class PlainFiles {
  readonly guest: FileGuest;
  /** The page after its files. */
  readonly top: number;
  readonly bytes: Uint8Array;

  constructor(module: Uint8Array) {
    const memory = allocate();
    this.bytes = new Uint8Array(memory.buffer);
    this.top = this.bytes.length / FRAME_BYTES;
    const instance = new originals.Instance(new originals.Module(module.slice() as BufferSource), {
      env: { memory },
      libdbos: { safepoint: () => {} },
      files: {
        grow: (pages: number) => (pages + FILES_CHUNK_PAGES + FIRST_PAGE <= this.top ? 1 : 0),
        now: Date.now,
        sleep: () => {},
        panic: (code: number) => {
          throw new RingzeroError('RZ_VM_CLOSED', `assertion ${code} failed in the file system`);
        },
      },
    });
    this.guest = new FileGuest(instance, this.top, {
      buffer: memory.buffer,
      staging: 0,
      otherPages: () => FIRST_PAGE,
      lend: (address) => address >>> 0,
      failed: (_what, thrown) => thrown,
    });
    this.guest.calls.attach(this.top, 0);
    this.guest.calls.format();
  }
}

function allocate(): WebAssembly.Memory {
  for (const pages of SIZES) {
    try {
      return new originals.Memory({ initial: pages, maximum: pages, shared: true });
    } catch {
      // the next size
    }
  }
  throw new RingzeroError('RZ_OUT_OF_MEMORY', 'the host has no memory for the files of a branch');
}
