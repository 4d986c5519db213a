// Types of the WebAssembly JavaScript API for public declarations: those of lib.dom where a project has it,
// the same shapes where it does not.
//
// Projects for Node leave out lib `dom`, and TypeScript declares the namespace WebAssembly nowhere else.

type Api = typeof globalThis extends { WebAssembly: infer Found } ? Found : object;

/** A `WebAssembly.Memory`. */
export type Memory = Api extends { Memory: { prototype: infer Found } }
  ? Found
  : { readonly buffer: ArrayBuffer; grow(delta: number): number };

/** A `WebAssembly.Module`. */
export type Module = Api extends { Module: { prototype: infer Found } } ? Found : object;

/** A `WebAssembly.Table`. */
export type Table = Api extends { Table: { prototype: infer Found } }
  ? Found
  : {
      readonly length: number;
      get(index: number): unknown;
      grow(delta: number, value?: unknown): number;
      set(index: number, value?: unknown): void;
    };

/** A `WebAssembly.Global`. */
export type Global = Api extends { Global: { prototype: infer Found } }
  ? Found
  : { value: unknown; valueOf(): unknown };

/** A `WebAssembly.Instance`. */
export type Instance = Api extends { Instance: { prototype: infer Found } }
  ? Found
  : { readonly exports: Record<string, CallableFunction | Memory | Table | Global> };

/** A `WebAssembly.Exports`. */
export type Exports = Instance extends { readonly exports: infer Found } ? Found : never;

/** A `WebAssembly.ExportValue`. */
export type ExportValue = Exports[keyof Exports];

/** A `WebAssembly.ModuleImports`. */
export type ModuleImports = Record<string, ExportValue | number>;

/** A `WebAssembly.Imports`. */
export type Imports = Record<string, ModuleImports>;
