import { acceptSharedViews as accept } from '#platform';
import { acceptSharedBodies } from './shared-bodies.ts';

/**
 * Makes runtime functions accept views of shared memory, in this thread, as glue passes them: `TextDecoder`,
 * `TextEncoder`, `crypto.getRandomValues`, `crypto.subtle`, bodies (`Response`, `Request`, `fetch`), `Blob`,
 * `File`, `WebSocket` and `XMLHttpRequest`. They get copies. Functions that share or move memory are
 * unchanged: `postMessage` and `structuredClone` pass the same memory, and a transfer list refuses it; pass
 * `view.slice()` there.
 *
 * @category Internals
 */
export function acceptSharedViews(): void {
  accept();
  acceptSharedBodies();
}
