// Puts a PGlite on the machine: its program in a VM, its files in the VM's memory.
//
// Interface   `files` is PGlite's option `fs`; fork() takes the state of a database that works.

import { MemoryFS, type PGlite } from '@electric-sql/pglite';
import { Mountable } from '../vm/emscripten-files.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import type { Program } from '../vm/program.ts';
import type { ProgramBranch } from '../vm/branch/program-branch.ts';
import type * as Wasm from '../webassembly.ts';
import type { FileSystem, GlueImports } from './emscripten.ts';
import { packageModule } from './package.ts';
import { ROOT, type ForkState, type Library } from './state.ts';
import { captureStreams } from './streams.ts';

type EmscriptenOptions = Parameters<MemoryFS['init']>[1];
type Instantiated = (instance: Wasm.Instance, module: WebAssembly.Module) => void;

const WORKER = new URL('./pglite-worker.js', import.meta.url);

export class Machine {
  readonly files: MemoryFS;
  readonly #bytes: number;
  #wasm: Uint8Array | undefined;
  #program: Program | undefined;
  #fs: FileSystem | undefined;
  #mounted: Mountable | undefined;
  readonly #libraries: Library[] = [];

  /** `bytes`: memory of the VM. */
  constructor(bytes: number) {
    this.#bytes = bytes;
    const amended = (options: EmscriptenOptions): Promise<EmscriptenOptions> =>
      this.#amended(options);
    this.files = new (class extends MemoryFS {
      override async init(pg: PGlite, options: EmscriptenOptions) {
        await super.init(pg, options);
        return { emscriptenOpts: await amended(options) };
      }
    })();
  }

  /** What glue is to use instead of a memory and a file system of its own. */
  async #amended(options: EmscriptenOptions): Promise<EmscriptenOptions> {
    const wasm = (this.#wasm = await packageModule());
    const mount = ({ FS }: { FS: unknown }): void => this.#mount(FS as FileSystem);
    return {
      ...options,
      wasmMemory: MicroVM.memory(this.#bytes, wasm) as WebAssembly.Memory,
      instantiateWasm: ((imports: Wasm.Imports, done: Instantiated) => {
        void this.#load(imports, done);
        return {};
      }) as unknown as EmscriptenOptions['instantiateWasm'] & {},
      preRun: [mount, ...(options.preRun ?? [])],
    };
  }

  async #load(imports: Wasm.Imports, done: Instantiated): Promise<void> {
    const glue = imports['env'] as unknown as GlueImports;
    const open = glue._dlopen_js;
    glue._dlopen_js = (handle) => {
      const result = open(handle);
      if (result !== 0) this.#libraries.push({ handle });
      return result;
    };
    this.#program = await MicroVM.load(this.#wasm!, imports);
    done(this.#program, onlyDynamicSection(this.#wasm!));
  }

  #mount(fs: FileSystem): void {
    this.#fs = fs;
    this.#mounted = new Mountable(this.#program!, fs);
    fs.mkdir(ROOT);
    fs.mount(this.#mounted.type, { root: ROOT }, ROOT);
    // One after the other: a module's place in the table must not depend on which is compiled first.
    const create = fs.createPreloadedFile;
    let last = Promise.resolve();
    fs.createPreloadedFile = (folder, name, data, canRead, canWrite, done, failed, ...others) => {
      const load = (ended: () => void): void => {
        const loaded = (): void => {
          if (name.endsWith('.so')) this.#libraries.push({ preloaded: `${folder}/${name}` });
          done();
          ended();
        };
        const notLoaded = (): void => {
          failed();
          ended();
        };
        create(folder, name, data, canRead, canWrite, loaded, notLoaded, ...others);
      };
      last = last.then(() => new Promise(load));
    };
  }

  /**
   * The database as it is at the time of the call, which is between queries. As many threads as `warm` says
   * will wait for the next.
   */
  fork(warm: number): Promise<ProgramBranch> {
    const fs = this.#fs!;
    const state: ForkState = {
      streams: captureStreams(fs, this.#mounted!),
      directory: fs.cwd(),
      libraries: [...this.#libraries],
    };
    return this.#program!.branch(WORKER, state, { warm });
  }

  warm(count: number): Promise<void> {
    return this.#program!.warmBranches(WORKER, { warm: count });
  }

  async close(): Promise<void> {
    await this.#program?.close();
  }
}

/** A module with the program's first section: glue reads there what is linked to it, and nothing else. */
function onlyDynamicSection(wasm: Uint8Array): WebAssembly.Module {
  let end = 9; // of the magic number, the version and the section's kind
  let bytes = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = wasm[end++]!;
    bytes |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return new WebAssembly.Module(wasm.slice(0, end + bytes));
}
