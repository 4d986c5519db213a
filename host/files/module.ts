// The module of the file system, and its images for one VM.

import { originals } from '../constructors.ts';
import { readBuiltModule } from '#platform';
import { translateMain, translateSnapshot } from '../translator/index.ts';
import type * as Wasm from '../webassembly.ts';

/** The file system of a VM, for its threads; can be posted. */
export interface FileImages {
  readonly main: Wasm.Module;
  /** Bytes in shared memory: only threads that run a snapshot compile them. */
  readonly snapshot: Uint8Array;
  /** The module itself, for branches. */
  readonly plain: Uint8Array;
  /** The page after file memory. */
  readonly top: number;
}

let bytes: Uint8Array | undefined;

/** Once per thread before fileImages(), where files cannot be read synchronously (browsers). */
export async function loadFileModule(): Promise<void> {
  bytes ??= await readBuiltModule('fs.wasm');
}

/** An operation must not be interrupted, so the main image does not poll (guest/fs/lock.ts). */
export function fileImages(frames: number, weakMemory: boolean, top: number): FileImages {
  bytes ??= readBuiltModule('fs.wasm') as Uint8Array;
  const options = { frames, weakMemory, validate: false };
  const { main } = translateMain(bytes, { ...options, safepoints: false });
  const { snapshot } = translateSnapshot(bytes, options);
  const module = new originals.Module(main as BufferSource);
  return { main: module, snapshot: sharedCopy(snapshot), plain: sharedCopy(bytes), top };
}

function sharedCopy(from: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(from.length));
  copy.set(from);
  return copy;
}
