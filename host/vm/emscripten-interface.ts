// The parts of Emscripten's file system that ringzeroFS knows.

import type { Files } from '../files/files.ts';
import type * as Wasm from '../webassembly.ts';

/**
 * What ringzeroFS uses of Emscripten's `FS`.
 *
 * @category Files
 */
export interface EmscriptenFS {
  ErrnoError: new (errno: number) => unknown;
  /** Makes a node of Emscripten's tree. */
  createNode(parent: EmscriptenNode | null, name: string, mode: number, rdev?: number): unknown;
  /** Forgets its name. */
  destroyNode(node: unknown): void;
}

/**
 * A node of Emscripten's.
 *
 * @category Files
 */
export interface EmscriptenNode {
  name: string;
  mode: number;
  parent: EmscriptenNode;
  mount: { opts?: { root?: string } };
  node_ops: object;
  stream_ops: object;
}

/**
 * An open file of Emscripten's.
 *
 * @category Files
 */
export interface EmscriptenStream {
  node: EmscriptenNode;
  position: number;
  shared?: object;
}

/**
 * Program or fork, whose files are mounted.
 *
 * @category Files
 */
export interface FilesHolder {
  readonly fs: Files;
  readonly memory?: Wasm.Memory;
  readonly exports: object;
}
