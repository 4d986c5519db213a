// What is used of Emscripten's file system and of PGlite's module, with the types that they have.

import type { EmscriptenFS, EmscriptenNode, EmscriptenStream } from '../vm/emscripten-interface.ts';

export interface Node extends EmscriptenNode {
  pipe?: { buckets: { offset: number; roffset: number }[] };
}

export interface Stream extends EmscriptenStream {
  fd: number;
  path: string;
  flags: number;
  node: Node;
  shared: object;
}

export interface FileSystem extends EmscriptenFS {
  streams: (Stream | null | undefined)[];
  mkdir(path: string): void;
  mount(type: object, options: object, path: string): Node;
  unmount(path: string): void;
  isFile(mode: number): boolean;
  isDir(mode: number): boolean;
  isChrdev(mode: number): boolean;
  open(path: string, flags: number): Stream;
  closeStream(fd: number): void;
  createStream(stream: object, fd: number): Stream;
  getStream(fd: number): Stream;
  cwd(): string;
  chdir(path: string): void;
  createPreloadedFile(
    folder: string,
    name: string,
    data: Uint8Array,
    canRead: boolean,
    canWrite: boolean,
    done: () => void,
    failed: () => void,
    isKept: boolean,
  ): void;
}

/** Functions that glue gives the module. */
export interface GlueImports {
  /** Loads the library that a structure in memory names; its address is the library's handle. */
  _dlopen_js(handle: number): number;
  /** Writes two descriptors to memory. */
  __syscall_pipe2(address: number, flags: number): number;
}
