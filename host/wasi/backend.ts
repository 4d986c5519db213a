// Where the files of a descriptor are: on the host, or in the VM. Both are used in the same way, one name of
// an open directory at a time, so that WASI's rules are the same for both.

import {
  beneath as hostBeneath,
  descriptors as hostDescriptors,
  directoryOf,
  enterDirectory,
  leaveDirectory,
} from '#platform/beneath';
import type { Directory, FileKind } from '../platform/file-facts.ts';
import type { Walked } from '../syscalls/walk.ts';
import type { MemoryFiles } from './memory-files.ts';

/** Operations on one name in a directory. */
export type Beneath = typeof hostBeneath;

/** Operations on what is open. */
export type OpenFiles = Pick<
  typeof hostDescriptors,
  'close' | 'facts' | 'truncate' | 'setTimes' | 'sync' | 'dataSync' | 'reopen'
>;

export interface Backend {
  readonly beneath: Beneath;
  readonly descriptors: OpenFiles;
  directoryOf(descriptor: number, path: string): Directory;
  /** For walks along paths. */
  readonly walked: Walked;
  kindOf(descriptor: number): FileKind;
  /** What only files in the VM have; undefined = files of the host. */
  readonly memory: MemoryFiles | undefined;
}

export const HOST: Backend = {
  beneath: hostBeneath,
  descriptors: hostDescriptors,
  directoryOf,
  walked: { ...hostBeneath, enterDirectory, leaveDirectory },
  kindOf: (descriptor) => hostDescriptors.facts(descriptor).kind,
  memory: undefined,
};
