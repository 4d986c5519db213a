// All bytes of a memory. `memory.buffer` is what its holder sees: glue sees only the part that its program
// has (vm/physical-memory.ts). The machine itself uses this.

const buffer = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, 'buffer')!.get!;

export function physicalBuffer(memory: WebAssembly.Memory): SharedArrayBuffer {
  return buffer.call(memory) as SharedArrayBuffer;
}
