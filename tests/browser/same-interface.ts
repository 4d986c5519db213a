// For the compiler alone: what host/platform gives in Node, it gives in a browser, in the same form, or as a
// promise of it.

import type * as node from '../../host/platform/node.ts';
import type * as nodeBeneath from '../../host/platform/beneath.ts';
import type * as nodeDirectory from '../../host/platform/store-directory.ts';
import type * as nodeLock from '../../host/platform/store-lock.ts';
import type * as nodeText from '../../host/platform/text.ts';
import type * as nodeTrace from '../../host/platform/trace-file.ts';
import type * as browser from '../../host/platform/browser/platform.ts';
import type * as browserBeneath from '../../host/platform/browser/beneath.ts';
import type * as browserDirectory from '../../host/platform/browser/store-directory.ts';
import type * as browserLock from '../../host/platform/browser/store-lock.ts';
import type * as browserText from '../../host/platform/browser/text.ts';
import type * as browserTrace from '../../host/platform/browser/trace-file.ts';

/** The same, except that a function may return a promise. */
type Like<T> = T extends (...args: infer A) => infer R
  ? (...args: A) => R | Promise<R>
  : T extends boolean
    ? boolean
    : T extends number | string
      ? T
      : { [K in keyof T]: Like<T[K]> };

/** Of Node's module, what only the servers and the commands use. */
type ServerOnly = 'isDirectory';
type LockOnly = 'readText' | 'writeText' | 'link' | 'rename' | 'exists' | 'list' | 'stamp';
type ProcessOnly = 'thisProcess' | 'livenessOf' | 'uniqueWord' | 'directory';

type Holds<T extends Like<U>, U> = T;
type Same = [
  Holds<typeof browser, Omit<typeof node, ServerOnly>>,
  Holds<Omit<typeof browserBeneath, 'OPEN'>, Omit<typeof nodeBeneath, 'OPEN'>>,
  Holds<typeof browserDirectory, Omit<typeof nodeDirectory, ProcessOnly>>,
  Holds<typeof browserDirectory.directory, Omit<typeof nodeDirectory.directory, LockOnly>>,
  Holds<typeof browserLock, typeof nodeLock>,
  Holds<typeof browserText, typeof nodeText>,
  Holds<typeof browserTrace, typeof nodeTrace>,
];

void (undefined as Same | undefined); // the compiler has checked it
