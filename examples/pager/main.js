// Squares in a file of 80 MB, through 256 KiB of memory.

import { readFile } from 'node:fs/promises';
import { MicroVM } from 'ringzero';

const NAME = 1024;
const vm = await MicroVM.create({
  guest: await readFile(new URL('./guest.wasm', import.meta.url)),
  linked: true,
  memory: 16 << 20,
  preopen: '.',
});
const { open, set, get, flush, faultCount } = vm.enter().exports;
const bytes = new TextEncoder().encode('numbers.bin');
new Uint8Array(vm.memory.buffer).set(bytes, NAME);
if (open(bytes.length) < 0) throw new Error('cannot open numbers.bin');

for (let i = 0n; i < 10_000_000n; i += 997n)
  if (set(i, i * i) < 0) throw new Error(`cannot set ${i}`);
if (flush() < 0) throw new Error('cannot write numbers.bin');
for (let i = 0n; i < 10_000_000n; i += 997n) if (get(i) !== i * i) throw new Error(`${i} is wrong`);
console.log(`9970 squared is ${get(9970n)}; ${faultCount()} page faults`);
await vm.close();
