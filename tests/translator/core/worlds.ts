// The three worlds that a script runs in: untranslated, in main images, and in snapshot images that see the
// moment when each module had been instantiated. Modules of a world are linked with each other.

import { vcpuBlocks } from '../../../assembly/abi/memory-map.ts';
import { translate, type Translation } from '../../../host/translator/index.ts';
import { StubKernel } from '../stub-kernel.ts';

const FRAMES = 32768;
/** Guest memory ends here; frames for copies are above, and above them the kernel's tables. */
const GUEST_PAGES_MAX = FRAMES / 2 / 16;
const SPECTEST_PAGES = 1;
const SPECTEST_PAGES_MAX = 2;
const REGISTERS = vcpuBlocks(FRAMES) - 65536;

type Instantiate = (bytes: Uint8Array, imports: WebAssembly.Imports) => WebAssembly.Exports;
type Routine = (address?: number) => void;

export class World {
  readonly #instantiate: Instantiate;
  readonly #registered: Record<string, WebAssembly.Exports> = {};
  readonly #named = new Map<string, WebAssembly.Exports>();
  #last: WebAssembly.Exports | undefined;

  constructor(instantiate: Instantiate) {
    this.#instantiate = instantiate;
  }

  instantiate(bytes: Uint8Array, name?: string): void {
    this.forget(name);
    this.#last = this.try(bytes);
    if (name !== undefined) this.#named.set(name, this.#last);
  }

  /** Forgets the last module, and the one of that name. */
  forget(name?: string): void {
    this.#last = undefined;
    if (name !== undefined) this.#named.delete(name);
  }

  /** As instantiate(), but the module is not what comes next is about. */
  try(bytes: Uint8Array): WebAssembly.Exports {
    return this.#instantiate(bytes, {
      spectest: spectest(),
      ...this.#registered,
    } as WebAssembly.Imports);
  }

  register(as: string, name?: string): void {
    const found = this.module(name);
    if (found !== undefined) this.#registered[as] = found;
  }

  /** Undefined when it was not instantiated. */
  module(name?: string): WebAssembly.Exports | undefined {
    return name === undefined ? this.#last : this.#named.get(name);
  }
}

/** What scripts import: https://github.com/WebAssembly/spec/tree/main/interpreter#scripts. */
function spectest(): WebAssembly.ModuleImports {
  const nothing = (): void => {};
  const prints = ['', '_i32', '_i64', '_f32', '_f64', '_i32_f32', '_f64_f64'];
  return {
    ...Object.fromEntries(prints.map((print) => [`print${print}`, nothing])),
    global_i32: new WebAssembly.Global({ value: 'i32' }, 666),
    global_i64: new WebAssembly.Global({ value: 'i64' }, 666n),
    global_f32: new WebAssembly.Global({ value: 'f32' }, 666.6),
    global_f64: new WebAssembly.Global({ value: 'f64' }, 666.6),
    table: new WebAssembly.Table({ initial: 10, maximum: 20, element: 'anyfunc' }),
    memory: new WebAssembly.Memory({ initial: SPECTEST_PAGES, maximum: SPECTEST_PAGES_MAX }),
  };
}

export function plainWorld(): World {
  return new World((bytes, imports) => instance(bytes, imports));
}

export function mainWorld(): World {
  return new World((bytes, imports) => boot(bytes, imports).exports);
}

/** Modules are booted in a main world, and seen in snapshots of it. */
export function snapshotWorld(): World {
  return new World((bytes, imports) => {
    const { kernel, translation, exports: main } = boot(bytes, imports);
    (main['ringzero.save'] as Routine)(REGISTERS);
    const world = kernel.snapshotWorld();
    const exports = instance(translation.snapshot, {
      ...imports,
      ringzero: world.imports as WebAssembly.ModuleImports,
    });
    (exports['ringzero.table'] as WebAssembly.Global).value = world.table | 0;
    (exports['ringzero.attach'] as Routine)();
    (exports['ringzero.load'] as Routine)(REGISTERS);
    return exports;
  });
}

function boot(
  bytes: Uint8Array,
  imports: WebAssembly.Imports,
): { kernel: StubKernel; translation: Translation; exports: WebAssembly.Exports } {
  const translation = translate(bytes, { frames: FRAMES });
  const { initialPages, maximumPages = GUEST_PAGES_MAX, memoryImported } = translation.info;
  const pages = memoryImported ? Math.max(initialPages, SPECTEST_PAGES) : initialPages;
  const pagesMax = memoryImported ? SPECTEST_PAGES_MAX : maximumPages;
  const kernel = new StubKernel(pages, FRAMES, Math.min(pagesMax, GUEST_PAGES_MAX));
  const ringzero = kernel.mainImports() as WebAssembly.ModuleImports;
  const exports = instance(translation.main, { ...imports, ringzero });
  (exports['ringzero.boot'] as Routine)();
  return { kernel, translation, exports };
}

function instance(bytes: Uint8Array, imports: WebAssembly.Imports): WebAssembly.Exports {
  const module = new WebAssembly.Module(bytes as BufferSource);
  return new WebAssembly.Instance(module, imports).exports;
}
