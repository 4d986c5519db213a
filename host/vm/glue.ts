// The host's side of the border between a program and its glue (translator/glue.ts): each call that comes
// from JavaScript, and each imported function while a snapshot is active. A trap becomes an error here, and
// the vCPU stays usable.
//
// Interface   Glue.imports() for an image's instance, bind() after instantiation; exposure is what glue may
//             write to.
// Cost        About 10 ns per call from JavaScript, for one more border crossing; none within the program.

import { VCPU_DEPTH } from '../../assembly/abi/vcpu-block.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import { Exposure } from './exposure.ts';
import { closed, guestTrap } from './guest-trap.ts';
import type { Kernel } from './kernel.ts';
import type { GuestFunction } from './exports.ts';

type Argument = number | bigint;

const FEW = 6;

/** A name of each exported function by its place, in the order of the export section. */
export function functionNames(
  module: WebAssembly.Module,
  instance: WebAssembly.Instance,
): string[] {
  const names = new Map<unknown, string>();
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    const fn = instance.exports[name];
    if (kind === 'function' && !name.startsWith('ringzero.') && !names.has(fn)) names.set(fn, name);
  }
  return [...names.values()];
}

export class Glue {
  readonly exposure: Exposure;
  readonly #kernel: Kernel;
  readonly #words: Int32Array;
  readonly #depth: number;
  #entries: GuestFunction[] = [];
  #names: string[] = [];
  #inside: WebAssembly.Global | undefined;

  constructor(kernel: Kernel, memory: WebAssembly.Memory) {
    this.#kernel = kernel;
    this.#words = new Int32Array(physicalBuffer(memory));
    this.#depth = (kernel.block + VCPU_DEPTH) / 4;
    this.exposure = new Exposure(kernel, memory);
  }

  /** What the image imports from `ringzero` for its border. */
  imports(module: WebAssembly.Module): WebAssembly.ModuleImports {
    const imports: WebAssembly.ModuleImports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      if (from !== 'ringzero') continue;
      if (name.startsWith('call.')) imports[name] = this.#caller(name.split('.')[1]!.length);
      if (name.startsWith('expose.')) imports[name] = this.#exposer();
    }
    return imports;
  }

  /** `allocator`: the allocating function, if the code shows it. */
  bind(
    module: WebAssembly.Module,
    instance: WebAssembly.Instance,
    allocator: number | undefined,
  ): void {
    const { exports } = instance;
    this.#inside = exports['ringzero.inside'] as WebAssembly.Global;
    this.#names = functionNames(module, instance);
    this.exposure.name(this.#names, allocator);
    const table = exports['ringzero.entries'] as WebAssembly.Table | undefined; // of very many
    for (let place = 0; place < this.#names.length; place++) {
      const entry: unknown = table ? table.get(place) : exports[`ringzero.entry.${place}`];
      this.#entries.push(entry as GuestFunction);
    }
  }

  /** Every exported function fails from now on: the VM is closed. */
  close(): void {
    this.#entries.fill(closed);
  }

  /**
   * A rest parameter, and spreading it, would double the price of a call: most functions have few
   * parameters.
   */
  #caller(parameters: number): (place: number, ...args: never[]) => unknown {
    const words = this.#words;
    const at = this.#depth;
    const { exposure } = this;
    const entries = this.#entries;
    if (parameters > FEW)
      return (place, ...args) => {
        const depth = words[at]!;
        try {
          const result = entries[place]!(...args);
          const [a, b, c, d, e, f] = args;
          exposure.returned(place, result, a, b, c, d, e, f);
          return result;
        } catch (error) {
          throw this.#failed(place, depth, error);
        }
      };
    return (place, a, b, c, d, e, f) => {
      const depth = words[at]!;
      try {
        const result = entries[place]!(a!, b!, c!, d!, e!, f!); // surplus arguments are dropped
        exposure.returned(place, result, a, b, c, d, e, f);
        return result;
      } catch (error) {
        throw this.#failed(place, depth, error);
      }
    };
  }

  #exposer(): (index: number, ...args: Argument[]) => void {
    const { exposure } = this;
    return (_index, ...args) => exposure.passed(args);
  }

  #failed(place: number, depth: number, error: unknown): unknown {
    this.#kernel.calls.unwind(depth);
    this.#inside!.value = 0;
    return guestTrap(this.#kernel, `call of \`${this.#names[place]}\``, error);
  }
}
