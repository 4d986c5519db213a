// Modules in text form, with names, for tests of images.

import initWabt from 'wabt';

const wabt = await initWabt();
/** An instance's functions. */
export type Calls = Record<string, (...args: number[]) => number>;

const FEATURES = {
  threads: true,
  bulk_memory: true,
  reference_types: true,
  exceptions: true,
  tail_call: true,
  extended_const: true,
  relaxed_simd: true,
};

export function build(text: string): Uint8Array {
  const module = wabt.parseWat('image.wat', text, FEATURES);
  try {
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}

/** Reads an image with its names. Throws when they are malformed. */
export function readNames(image: Uint8Array): void {
  wabt.readWasm(image, { readDebugNames: true, ...FEATURES }).destroy();
}
