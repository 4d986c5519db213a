// A fork of a database, in its own thread: the user's PGlite starts its glue here, without a database; then
// its program and its files are those of the parent.
//
// Interface   Messages of PostgreSQL's protocol: see fork.ts.

import { PGlite, MemoryFS, protocol } from '@electric-sql/pglite';
import type { Branch } from '../vm/branch/branch.ts';
import { Mountable } from '../vm/emscripten-files.ts';
import type * as Wasm from '../webassembly.ts';
import type { FileSystem, GlueImports } from './emscripten.ts';
import { ROOT, type Executed, type ForkState, type Library } from './state.ts';
import { dropStreams, restoreStreams } from './streams.ts';

type EmscriptenOptions = Parameters<MemoryFS['init']>[1];

/** Any address below the stack, for a result. */
const SCRATCH = 1024;

class Thread {
  readonly #branch: Branch;
  readonly #database: PGlite;
  #glue: GlueImports | undefined;
  #mounted: Mountable | undefined;
  #linked = 0;

  constructor(branch: Branch) {
    this.#branch = branch;
    const amended = (options: EmscriptenOptions): EmscriptenOptions => this.#amended(options);
    const fs = new (class extends MemoryFS {
      override async init(pg: PGlite, options: EmscriptenOptions) {
        await super.init(pg, options);
        return { emscriptenOpts: amended(options) };
      }
    })();
    this.#database = new PGlite({ fs, noInitDb: true });
  }

  #amended(options: EmscriptenOptions): EmscriptenOptions {
    const mount = ({ FS }: { FS: unknown }): void => {
      const fs = FS as FileSystem;
      fs.mkdir(ROOT);
      this.#mount(fs);
    };
    return {
      ...options,
      wasmMemory: this.#branch.memory as WebAssembly.Memory,
      instantiateWasm: ((imports: Wasm.Imports, done: never) => {
        this.#glue = imports['env'] as unknown as GlueImports;
        return this.#branch.instantiateWasm(imports, done);
      }) as unknown as EmscriptenOptions['instantiateWasm'] & {},
      preRun: [mount, ...(options.preRun ?? [])],
    };
  }

  get #fs(): FileSystem {
    return this.#database.Module.FS as unknown as FileSystem;
  }

  #mount(fs: FileSystem): void {
    this.#mounted = new Mountable(this.#branch, fs);
    fs.mount(this.#mounted.type, { root: ROOT }, ROOT);
  }

  ready(): Promise<void> {
    return this.#database.waitReady;
  }

  /** Has glue load what the parent's glue has loaded since the last time. */
  async link(libraries: readonly Library[]): Promise<void> {
    for (const library of libraries.slice(this.#linked)) {
      this.#branch.placeNext();
      if ('handle' in library) this.#glue!._dlopen_js(library.handle);
      else await this.#preload(library.preloaded);
    }
    this.#linked = libraries.length;
  }

  #preload(path: string): Promise<void> {
    const slash = path.lastIndexOf('/');
    const [folder, name] = [path.slice(0, slash), path.slice(slash + 1)];
    const data = this.#branch.fs.readFileSync(path) as Uint8Array;
    return new Promise((resolve, reject) => {
      const failed = (): void => reject(new Error(`${path} could not be loaded in a fork`));
      this.#fs.createPreloadedFile(folder, name, data, true, true, resolve, failed, true);
    });
  }

  /** The program and the files are the parent's: so are its open files from now on. */
  become({ streams, directory, libraries }: ForkState): object {
    const fs = this.#fs;
    for (const library of libraries.slice(this.#linked))
      // modules that are linked, under new handles
      if ('handle' in library) this.#glue!._dlopen_js(library.handle);
    this.#linked = libraries.length;
    dropStreams(fs);
    fs.unmount(ROOT); // names that glue remembers may be of other files now
    this.#mount(fs);
    restoreStreams(fs, this.#mounted!, streams, () => this.#pipe());
    fs.chdir(directory);
    this.#renewSeed();
    const database = this.#database;
    return {
      execute: async (message: Uint8Array): Promise<Executed> => {
        const data = database.execProtocolRawSync(message);
        return { data, written: await (await database._getWrittenBlob())?.arrayBuffer() };
      },
      give: (content: ArrayBuffer | undefined) =>
        database._handleBlob(content && new Blob([content])),
      clean: () => database._cleanupBlob(),
      dump: async (compression: 'none' | 'gzip' | 'auto' | undefined) => {
        const file = await database.dumpDataDir(compression);
        return { content: await file.arrayBuffer(), name: (file as File).name, type: file.type };
      },
      end: () => true,
    };
  }

  #pipe() {
    const { buffer } = this.#branch.memory;
    const at = new Int32Array(buffer, SCRATCH, 2);
    const before = at.slice();
    this.#glue!.__syscall_pipe2(SCRATCH, 0);
    const [reader, writer] = at;
    at.set(before);
    return [this.#fs.getStream(reader!), this.#fs.getStream(writer!)] as const;
  }

  /** The parent's random() goes on otherwise than the fork's. */
  #renewSeed(): void {
    const seed = crypto.getRandomValues(new Int32Array(1))[0]! / 2 ** 31;
    this.#database.execProtocolRawSync(
      protocol.serialize.query(`SELECT pg_catalog.setseed(${seed})`),
    );
  }
}

let thread: Thread;

export async function main(branch: Branch): Promise<(state: ForkState) => object> {
  thread = new Thread(branch);
  await thread.ready();
  return (state) => thread.become(state);
}

export function link(_branch: Branch, { libraries }: ForkState): Promise<void> {
  return thread.link(libraries);
}
