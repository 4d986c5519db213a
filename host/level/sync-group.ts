// Promised syncs of one turn of the event loop: they wait for the device together.

import { atTurnEnd } from '#platform';
import type { Operations } from './operations.ts';

export class SyncGroup {
  #promise: Promise<void> | undefined;
  #syncNow: (() => void) | undefined;

  /** Resolves when the device has every change made so far. */
  join(open: Operations): Promise<void> {
    this.#promise ??= new Promise((resolve, reject) => {
      const sync = (): void => {
        if (this.#syncNow !== sync) return; // flush() came first
        this.#syncNow = undefined;
        this.#promise = undefined;
        try {
          open.sync(true);
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      this.#syncNow = sync;
      atTurnEnd(sync);
    });
    return this.#promise;
  }

  /** Syncs now if a sync is due: the store is being closed. */
  flush(): void {
    this.#syncNow?.();
  }
}
