// Runs the program with a side module in a branch.

import type { Branch } from '../../host/index.ts';
import { linkSide, PROGRAM, type Linked, type ProgramExports } from './side-modules.ts';

let linked: Linked | undefined;

export function main(branch: Branch): () => object {
  const { instance } = branch.instantiate({ env: { memory: branch.memory } });
  const exports = instance.exports as unknown as ProgramExports;
  return () => ({
    call: (index: number, x: number) => exports.call(index, x),
    load: (address: number) => exports.load(address),
    shown: (x: number) => linked!.side.shown(x),
    bytes: () => PROGRAM.length,
  });
}

export function link(branch: Branch): void {
  branch.placeNext();
  linked = linkSide(branch.exports as unknown as ProgramExports, branch.memory);
}
