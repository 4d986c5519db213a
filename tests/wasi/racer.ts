// Swaps directories and files for links that lead out of `inside`, and moves a directory out and back, as
// fast as it can, until it is told to stop.

import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { inside, scratch, stop } = workerData as {
  inside: string;
  scratch: string;
  stop: Int32Array;
};
const at = (name: string): string => join(inside, name);

mkdirSync(at('real'));
writeFileSync(join(at('real'), 'secret'), 'harmless');
writeFileSync(at('secret'), 'harmless');
symlinkSync(join(scratch, 'outside'), at('absolute-link'));
writeFileSync(at('plain'), 'harmless');
symlinkSync('../secret', at('final-link'));
mkdirSync(at('a/moving'), { recursive: true });

parentPort!.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  renameSync(at('real'), at('swap'));
  renameSync(at('swap'), at('real'));
  renameSync(at('absolute-link'), at('swap'));
  renameSync(at('swap'), at('absolute-link'));
  renameSync(at('plain'), at('final'));
  renameSync(at('final'), at('plain'));
  renameSync(at('final-link'), at('final'));
  renameSync(at('final'), at('final-link'));
  renameSync(at('a/moving'), join(scratch, 'outside', 'moving'));
  renameSync(join(scratch, 'outside', 'moving'), at('a/moving'));
}
