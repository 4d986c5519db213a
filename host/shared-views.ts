import { acceptSharedViews as accept } from '#platform';
import { acceptSharedBodies } from './shared-bodies.ts';

/**
 * Lets the runtime's own functions take views of shared memory, in this thread, as glue hands them: `TextDecoder`, `TextEncoder`,
 * `crypto.getRandomValues`, `crypto.subtle`, bodies (`Response`, `Request`, `fetch`), `Blob`, `File`, `WebSocket` and `XMLHttpRequest`.
 * They get copies. What shares or moves memory is left: `postMessage` and `structuredClone` give the same memory, and a transfer list
 * refuses it; pass `view.slice()` there.
 */
export function acceptSharedViews(): void {
  accept();
  acceptSharedBodies();
}
