// All bytes of a memory. `memory.buffer` is what its holder sees, and the memory of a program shows glue no
// more than the
// program has (vm/physical-memory.ts); the machine itself asks here.

const buffer = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, 'buffer')!.get!;

export function physicalBuffer(memory: WebAssembly.Memory): SharedArrayBuffer {
  return buffer.call(memory) as SharedArrayBuffer;
}
