// A vCPU that changes files of a VM until it is told to stop, and then looks at its own.

import { parentPort, workerData } from 'node:worker_threads';
import { Files } from '../../host/files/files.ts';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

const { handle, id, flag } = workerData as {
  handle: MicroVMHandle;
  id: number;
  /** 1 = stop. */
  flag: SharedArrayBuffer;
};
const isOver = new Int32Array(flag);
const vm = await MicroVM.attach(handle);
const fs = new Files(vm.enter().files.system!);
const own = `/thread${id}`;
fs.mkdirSync(own);
for (let i = 0; Atomics.load(isOver, 0) === 0; i++) {
  const path = `${own}/${i % 50}`;
  fs.writeFileSync(path, new Uint8Array(i % 20000).fill(id));
  if (i % 7 === 0) fs.rmSync(path);
  fs.mkdirSync(`${own}/d`);
  fs.rmdirSync(`${own}/d`);
}
const wrong = fs
  .readdirSync(own)
  .filter((name) => fs.readFileSync(`${own}/${name}`).some((byte) => byte !== id));
parentPort!.postMessage(wrong.join());
await vm.close();
