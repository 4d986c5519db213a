// All bytes of a memory. `memory.buffer` is what its holder sees: the memory of a program shows glue only what the program
// has (vm/physical-memory.ts). The machine itself asks here.

const buffer = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, 'buffer')!.get!;

export function physicalBuffer(memory: WebAssembly.Memory): SharedArrayBuffer {
  return buffer.call(memory) as SharedArrayBuffer;
}
