// What a fork of a database is given besides its program, whose memory has the files.

import type { OpenStream } from './streams.ts';

/** How a side module came: with an extension, or by dlopen with this handle. */
export type Library = { readonly preloaded: string } | { readonly handle: number };

export interface ForkState {
  readonly streams: readonly OpenStream[];
  readonly directory: string;
  readonly libraries: readonly Library[];
}

/** The directory that is in the VM, in its file system and in PGlite's. */
export const ROOT = '/pglite';

/** What the thread answers to messages of PostgreSQL's protocol. */
export interface Executed {
  readonly data: Uint8Array;
  /** What COPY has written to /dev/blob. */
  readonly written: ArrayBuffer | undefined;
}
