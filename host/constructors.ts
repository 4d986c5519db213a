// WebAssembly's constructors, and what looks at their use by others: packages that instantiate their module
// know nothing of the machine. The first watcher replaces the constructors, the last one puts them back.
//
// Interface   The machine itself uses `originals`. watch() returns what ends it.
// Invariants  What no watcher wants is as without watchers, its errors included.

import { asBytes } from './bytes.ts';

/** WebAssembly's own. */
export const originals = {
  Memory: WebAssembly.Memory,
  Module: WebAssembly.Module,
  Instance: WebAssembly.Instance,
  compile: WebAssembly.compile,
  instantiate: WebAssembly.instantiate,
  compileStreaming: WebAssembly.compileStreaming,
  instantiateStreaming: WebAssembly.instantiateStreaming,
};

export interface Watcher {
  /** Whether it wants the instances of a module that was compiled. */
  wants(module: WebAssembly.Module, bytes: Uint8Array): boolean;
  /** An instance of a module that it wanted; undefined = not this one. */
  instance(
    module: WebAssembly.Module,
    bytes: Uint8Array,
    imports: unknown,
  ): WebAssembly.Instance | undefined;
  /** The same where it may take its time. */
  instanceLater?(
    module: WebAssembly.Module,
    bytes: Uint8Array,
    imports: unknown,
  ): Promise<WebAssembly.Instance | undefined>;
  /** A memory in place of one with these limits; undefined = not this one. */
  memory?(limits: WebAssembly.MemoryDescriptor): WebAssembly.Memory | undefined;
}

interface Wanted {
  readonly bytes: Uint8Array;
  readonly by: readonly Watcher[];
}

let watchers: readonly Watcher[] = [];
const wanted = new WeakMap<WebAssembly.Module, Wanted>();
let replaced: Partial<typeof originals> = {};

/** `isFirst`: it is asked before those that watch already. Call what this returns to end it. */
export function watch(watcher: Watcher, isFirst = false): () => void {
  if (watchers.length === 0) replace();
  watchers = isFirst ? [watcher, ...watchers] : [...watchers, watcher];
  return () => {
    watchers = watchers.filter((other) => other !== watcher);
    if (watchers.length === 0) putBack();
  };
}

function replace(): void {
  replaced = {
    Memory: new Proxy(originals.Memory, { construct: constructMemory }),
    Module: new Proxy(originals.Module, { construct: constructModule }),
    Instance: new Proxy(originals.Instance, { construct: constructInstance }),
    compile,
    instantiate: instantiate as typeof WebAssembly.instantiate,
  };
  if (originals.compileStreaming !== undefined)
    Object.assign(replaced, { compileStreaming, instantiateStreaming });
  Object.assign(WebAssembly, replaced);
}

/** What others have replaced since stays theirs: through it, ours does what the originals do. */
function putBack(): void {
  for (const name of Object.keys(replaced) as (keyof typeof originals)[])
    if (WebAssembly[name] === replaced[name])
      Object.assign(WebAssembly, { [name]: originals[name] });
}

function remember(module: WebAssembly.Module, source: unknown): WebAssembly.Module {
  const bytes = asBytes(source)!;
  const by = watchers.filter((watcher) => watcher.wants(module, bytes));
  if (by.length > 0) wanted.set(module, { bytes: bytes.slice(), by });
  return module;
}

/** Those that want the module's instances, if they still watch. */
function wantedBy(module: unknown): Wanted | undefined {
  if (!(module instanceof originals.Module)) return undefined;
  const found = wanted.get(module);
  if (found === undefined) return undefined;
  const by = watchers.filter((watcher) => found.by.includes(watcher));
  return by.length === 0 ? undefined : { ...found, by };
}

function constructMemory(
  target: typeof WebAssembly.Memory,
  args: [WebAssembly.MemoryDescriptor],
  newTarget: () => void,
): WebAssembly.Memory {
  for (const watcher of watchers) {
    const memory = watcher.memory?.(args[0]);
    if (memory !== undefined) return memory;
  }
  return Reflect.construct(target, args, newTarget) as WebAssembly.Memory;
}

function constructModule(
  target: typeof WebAssembly.Module,
  args: [BufferSource],
  newTarget: () => void,
): WebAssembly.Module {
  return remember(Reflect.construct(target, args, newTarget) as WebAssembly.Module, args[0]);
}

function constructInstance(
  target: typeof WebAssembly.Instance,
  args: [WebAssembly.Module, unknown],
  newTarget: () => void,
): WebAssembly.Instance {
  const [module, imports] = args;
  const found = wantedBy(module);
  for (const watcher of found?.by ?? []) {
    const instance = watcher.instance(module, found!.bytes, imports);
    if (instance !== undefined) return instance;
  }
  return Reflect.construct(target, args, newTarget) as WebAssembly.Instance;
}

async function compile(source: BufferSource): Promise<WebAssembly.Module> {
  return remember(await originals.compile(source), source);
}

async function instanceOf(
  module: WebAssembly.Module,
  imports?: WebAssembly.Imports,
): Promise<WebAssembly.Instance> {
  const found = wantedBy(module);
  for (const watcher of found?.by ?? []) {
    const instance =
      watcher.instanceLater === undefined
        ? watcher.instance(module, found!.bytes, imports)
        : await watcher.instanceLater(module, found!.bytes, imports);
    if (instance !== undefined) return instance;
  }
  return originals.instantiate(module, imports);
}

async function instantiate(
  source: WebAssembly.Module | BufferSource,
  imports?: WebAssembly.Imports,
): Promise<WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource> {
  if (source instanceof originals.Module) return instanceOf(source, imports);
  const module = await compile(source);
  return { module, instance: await instanceOf(module, imports) };
}

async function compileStreaming(
  source: Response | PromiseLike<Response>,
): Promise<WebAssembly.Module> {
  const response = await source;
  const copy = response instanceof Response ? response.clone() : undefined;
  const module = await originals.compileStreaming(response);
  return remember(module, await copy!.arrayBuffer());
}

async function instantiateStreaming(
  source: Response | PromiseLike<Response>,
  imports?: WebAssembly.Imports,
): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const module = await compileStreaming(source);
  return { module, instance: await instanceOf(module, imports) };
}
