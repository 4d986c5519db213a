// What an instance is given for its imports: exactly the names that its module asks for, each looked up where
// it may come from. A module is not trusted, and neither are the names in it.
//
// Interface   importsOf() makes the import object; Layers puts one source of imports behind another.
// Invariants  IMPORT-1  What the machine supplies (`ringzero`, `libdbos`, ...) comes from the machine alone.
//             IMPORT-2  From what a user supplies, a name finds what the WebAssembly JavaScript API would
//                       find (own properties, those of the user's classes, what a Proxy answers), but nothing
//                       that JavaScript's own classes give: `constructor`, `toString`, `__proto__`, an
//                       array's `push`, a map's `get` and the like are missing unless supplied.
//             IMPORT-3  Names index only objects without a prototype.
//             A function that is missing throws when it is called; a global or table is an error at once,
//             unless it is carried.

import { RingzeroError } from '../errors.ts';

/** Sources of imports, asked in turn: the first that has a name supplies it. */
export class Layers {
  readonly sources: readonly object[];

  constructor(sources: readonly object[]) {
    this.sources = sources;
  }
}

/**
 * What stands for an import that nothing supplies; undefined = nothing does, and the instance cannot be made.
 */
type Missing = (
  kind: WebAssembly.ImportExportKind,
  from: string,
  name: string,
) => WebAssembly.ImportValue | undefined;

/** The import object for an instance of `module`. */
export function importsOf(
  module: WebAssembly.Module,
  machine: Readonly<Record<string, WebAssembly.ModuleImports>>,
  given: object,
  missing: Missing,
): WebAssembly.Imports {
  const result = Object.create(null) as Record<string, WebAssembly.ModuleImports>;
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const names = (result[from] ??= Object.create(null) as WebAssembly.ModuleImports);
    const own = Object.hasOwn(machine, from) ? machine[from]! : {};
    const value = Object.hasOwn(own, name)
      ? own[name]
      : MACHINE_ONLY.has(from)
        ? undefined
        : supplied(given, from, name);
    names[name] = (value ??
      missing(kind, from, name) ??
      refuseMissing(kind, from, name)) as WebAssembly.ImportValue;
    if (kind === 'function' && typeof names[name] !== 'function')
      throw new RingzeroError(
        'RZ_EXPORT',
        `the guest imports ${from}.${name} as a function, and got something else`,
      );
  }
  return result;
}

/** Modules of which a user supplies nothing. */
const MACHINE_ONLY = new Set(['ringzero', 'libdbos', 'hypervisor']);

function refuseMissing(kind: WebAssembly.ImportExportKind, from: string, name: string): never {
  throw new RingzeroError(
    'RZ_EXPORT',
    `the guest imports ${from}.${name}, a ${kind}, which was not supplied`,
  );
}

/** What a user supplies for an import (IMPORT-2); undefined = nothing. */
export function supplied(given: object, from: string, name: string): unknown {
  const sources = given instanceof Layers ? given.sources : [given];
  for (const source of sources) {
    const names = property(source, from);
    const value = isObject(names) ? property(names, name) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'function' || (typeof value === 'object' && value !== null);

/** What an object supplies under a name; undefined for what JavaScript's own classes give it (IMPORT-2). */
function property(object: object, name: string): unknown {
  if (Object.hasOwn(object, name)) return Reflect.get(object, name);
  let proto: object | null = Object.getPrototypeOf(object) as object | null;
  for (
    ;
    proto !== null && !isBuiltIn(proto);
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    if (name === 'constructor') return undefined;
    if (Object.hasOwn(proto, name)) return Reflect.get(proto, name, object);
  }
  const builtIn = proto === null ? undefined : descriptorOf(proto, name);
  if (builtIn?.get !== undefined) return undefined;
  const value: unknown = Reflect.get(object, name); // a Proxy answers for names that it does not own
  return builtIn !== undefined && value === builtIn.value ? undefined : value;
}

function descriptorOf(object: object, name: string): PropertyDescriptor | undefined {
  for (
    let at: object | null = object;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Whether it is a prototype of JavaScript itself, of whichever realm: only its constructors have no source.
 */
function isBuiltIn(proto: object): boolean {
  const isLast = Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, 'isPrototypeOf');
  if (isLast || (typeof proto === 'function' && Object.hasOwn(proto, 'apply'))) return true;
  const maker: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
  if (typeof maker === 'function') return maker.prototype === proto && NATIVE.test(sourceOf(maker));
  const tag: unknown = Object.getOwnPropertyDescriptor(proto, Symbol.toStringTag)?.value;
  return typeof tag === 'string' && /(Iterator|Generator)( Helper)?$/.test(tag); // these have no constructor
}

/** No source of a function of JavaScript's looks so. */
const NATIVE = /\{\s*\[native code\]\s*\}$/;

const sourceOf = (fn: CallableFunction): string => Function.prototype.toString.call(fn);
