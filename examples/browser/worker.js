// The worker: a store in the browser's private files, and a program with a snapshot of it.

import { MicroVM } from 'ringzero';
import { RingzeroLevel } from 'ringzero/level';

// (module (memory 1) (func (export "put") (param i32 i32) ...) (func (export "get") (param i32) (result i32) ...))
const PROGRAM = Uint8Array.from(
  atob(
    'AGFzbQEAAAABCwJgAn9/AGABfwF/AwMCAAEFAwEAAQcNAgNwdXQAAANnZXQAAQoTAgkAIAAgATYCAAsHACAAKAIACw==',
  ),
  (text) => text.charCodeAt(0),
);

const db = new RingzeroLevel('people', { valueEncoding: 'json' });

const requests = {
  put: ([key, value]) => db.put(key, value),
  get: (key) => db.get(key),
  /** Writes to a program after a snapshot of it: the value in the snapshot, and in the program. */
  async fork(value) {
    const program = await MicroVM.load(PROGRAM, {}, { memory: 2 ** 26 });
    program.exports.put(64, value);
    const snapshot = program.snapshot();
    program.exports.put(64, value + 1);
    const there = await snapshot.run('get', 64);
    const here = program.exports.get(64);
    await program.close();
    return { there, here };
  },
};

self.onmessage = async ({ data: { id, request } }) => {
  try {
    const [[name, argument]] = Object.entries(request);
    self.postMessage({ id, result: await requests[name](argument) });
  } catch (error) {
    const { code, message } = error.cause ?? error; // if a store does not open, `cause` has the reason
    self.postMessage({ id, error: { code, message } });
  }
};
