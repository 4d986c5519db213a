// The import of generated modules (tests/translator/generator.ts), for forks.

export const imports = (): WebAssembly.Imports => ({ env: { tick: (): void => {} } });
