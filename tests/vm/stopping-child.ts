// A program whose forks wait for standard input, which stays open: disposing of them ends them, and the VM
// and the process can end.

import { MicroVM, type RingzeroError } from '../../host/index.ts';
import { assemble } from './guests.ts';

const READER = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\20\\00\\00\\00\\10\\00\\00\\00")
  (func (export "wait") (result i32) (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
  (func (export "get") (result i32) (i32.const 7)))`);

const program = await MicroVM.load(READER, {}, { memory: 2 ** 26 });
const codes: unknown[] = [];
for (let round = 0; round < 2; round++) {
  const snapshots = Array.from({ length: 3 }, () => program.snapshot());
  const calls = snapshots.map((snapshot) =>
    snapshot.run('wait').catch((error: unknown) => (error as RingzeroError).code),
  );
  for (const snapshot of snapshots) snapshot[Symbol.dispose]();
  codes.push(...(await Promise.all(calls)));
}
const last = program.snapshot();
const waiting = last.run('wait').catch((error: unknown) => (error as RingzeroError).code);
codes.push(await last.run('get'));
await program.close();
codes.push(await waiting);
console.log(JSON.stringify(codes));
process.exit(5);
