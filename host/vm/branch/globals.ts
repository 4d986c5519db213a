// Setting an instance's mutable globals to what `ringzero.save` stored.

import type { PlainGlobal } from './plain-module.ts';

export function setGlobals(
  exports: WebAssembly.Exports,
  globals: readonly PlainGlobal[],
  registers: Uint8Array,
): void {
  const view = new DataView(registers.buffer, registers.byteOffset, registers.byteLength);
  globals.forEach(({ name, type }, i) => {
    (exports[name] as WebAssembly.Global).value = READ[type](view, 8 * i);
  });
}

const READ: Record<PlainGlobal['type'], (view: DataView, at: number) => number | bigint> = {
  i32: (view, at) => view.getInt32(at, true),
  i64: (view, at) => view.getBigInt64(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
};
