// The images that a VM runs: translated now, or before and only fitted to this VM.

import { asBytes, type Bytes } from '../bytes.ts';
import type { ModuleInfo, TranslateOptions } from '../translator/index.ts';
import type { MicroVMOptions } from './options.ts';
import { relocate } from '../translator/relocation.ts';

/** What `translate` returns; `info` is plain data and can be kept beside the images as JSON. */
export interface GuestImages {
  readonly main: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly info: Pick<ModuleInfo, 'initialPages' | 'maximumPages' | 'registerBytes'> &
    Partial<
      Pick<ModuleInfo, 'growsItself' | 'growImport' | 'allocator' | 'imports' | 'importedValues'>
    >;
}

/**
 * Images for a VM of so many frames. The translator is loaded only for a guest that needs it: it would be half of
 * what a server loads before it listens.
 * A linked guest is not translated. Fails as `translate`.
 */
export async function loadImages(
  guest: Bytes | GuestImages,
  frames: number,
  weakMemory: boolean,
  { linked = false, safepoints = true, memory, boundCompilation }: Partial<MicroVMOptions> = {},
  glue = false,
): Promise<GuestImages> {
  const bytes = asBytes(guest);
  if (linked) return (await import('./linked.ts')).linkedImages(bytes!);
  if (bytes === undefined) return fit(guest as GuestImages, frames, weakMemory);
  return translateBoth(bytes, {
    ...{ frames, weakMemory, safepoints, glue, boundCompilation },
    zeroFilledMemory: typeof memory !== 'object',
  });
}

/**
 * A call on a snapshot can always be stopped, so its image polls; the main image does if it is asked to. Memory that a VM makes itself is
 * zero; glue may have written to one that it had first.
 */
async function translateBoth(guest: Uint8Array, options: TranslateOptions): Promise<GuestImages> {
  const { translateMain, translateSnapshot } = await import('../translator/index.ts');
  const { main, info } = translateMain(guest, options);
  const { frames, weakMemory } = options;
  const { snapshot } = translateSnapshot(guest, { frames, weakMemory, validate: false });
  return { main, snapshot, info };
}

function fit(
  { main, snapshot, info }: GuestImages,
  frames: number,
  weakMemory: boolean,
): GuestImages {
  return {
    main: relocate(main, { frames, weakMemory }),
    snapshot: relocate(snapshot, { frames, weakMemory }),
    info,
  };
}
