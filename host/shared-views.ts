import { acceptSharedViews as accept } from '#platform';

/**
 * Lets the runtime's own functions take views of shared memory, in this thread: `TextDecoder`, `TextEncoder` and
 * `crypto.getRandomValues`, to which compilers' glue hands its memory. Browsers refuse such views; here they get copies.
 * Node and Deno take them anyway.
 */
export function acceptSharedViews(): void {
  accept();
}
