// The images that a VM runs: translated now, or translated before and only fitted to this VM.

import { asBytes } from '../bytes.ts';
import type { ModuleInfo, TranslateOptions } from '../translator/index.ts';
import type { MicroVMOptions } from './options.ts';
import { relocate } from '../translator/relocation.ts';

type Translator = Pick<
  typeof import('../translator/index.ts'),
  'translateMain' | 'translateSnapshot'
>;

/**
 * The result of `translate`; `info` is plain data and can be stored with the images as JSON.
 *
 * @category VM
 */
export interface GuestImages {
  readonly main: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly info: Pick<ModuleInfo, 'initialPages' | 'maximumPages' | 'registerBytes'> &
    Partial<
      Pick<
        ModuleInfo,
        | 'growsItself'
        | 'growImport'
        | 'allocator'
        | 'imports'
        | 'importedValues'
        | 'dropBytes'
        | 'source'
      >
    >;
}

/**
 * Images for a VM with this number of frames. The translator is loaded only for a guest that needs it: it
 * would be half of what a server loads before it listens.
 * A linked guest is not translated. Fails as `translate` does.
 */
export async function loadImages(
  frames: number,
  weakMemory: boolean,
  options: MicroVMOptions,
  glue: boolean,
): Promise<GuestImages> {
  const bytes = asBytes(options.guest);
  if (options.linked === true) return (await import('./linked.ts')).linkedImages(bytes!);
  if (bytes === undefined) return fit(options.guest as GuestImages, frames, weakMemory);
  return imagesOf(frames, weakMemory, options, glue, await import('../translator/index.ts'));
}

/** The same where the translator is loaded and the guest is not linked. */
export function imagesOf(
  frames: number,
  weakMemory: boolean,
  { guest, safepoints = true, memory, boundCompilation }: MicroVMOptions,
  glue: boolean,
  translator: Translator,
): GuestImages {
  const bytes = asBytes(guest);
  if (bytes === undefined) return fit(guest as GuestImages, frames, weakMemory);
  const options = {
    ...{ frames, weakMemory, safepoints, glue, boundCompilation },
    zeroFilledMemory: typeof memory !== 'object',
  };
  return translateBoth(bytes, options, translator);
}

/**
 * A call on a snapshot can always be stopped, so its image polls; the main image polls on request. Memory
 * that a VM creates itself is zero; memory that glue had first may not be.
 */
function translateBoth(
  guest: Uint8Array,
  options: TranslateOptions,
  { translateMain, translateSnapshot }: Translator,
): GuestImages {
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
