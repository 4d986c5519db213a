// A program that calls entries of its table, in a branch.

import type { Branch } from '../../host/index.ts';

interface Exports {
  table: WebAssembly.Table;
  call(index: number): number;
  put?(index: number): void;
}

export function main(branch: Branch): () => object {
  const { exports } = branch.instantiate({}).instance as unknown as { exports: Exports };
  return () => ({
    call: (index: number) => exports.call(index),
    put: (index: number) => exports.put!(index),
    set: (index: number) => exports.table.set(index, null),
    end: () => true,
  });
}
