// A sublevel: abstract-level's, which says why its store is not open, and syncs a batch without operations.

import { AbstractSublevel, type AbstractLevel } from 'abstract-level';
import {
  explainCalls,
  explainDeferred,
  explainIterator,
  failureOf,
  stopExplaining,
} from './open-failure.ts';
import { isEmptySync } from './options.ts';
import type { Data } from './window.ts';

type Parent = AbstractLevel<Data, unknown, unknown>;

const open = Reflect.get(AbstractSublevel.prototype, '_open') as (
  this: object,
  options: object,
) => Promise<void>;

export class RingzeroSublevel<K, V> extends AbstractSublevel<Parent, Data, K, V> {
  protected async _open(options: object): Promise<void> {
    try {
      await open.call(this, options);
      stopExplaining(this);
    } catch (error) {
      const failure = failureOf(this.db);
      if (failure !== undefined) explainCalls(this, failure);
      throw error;
    }
  }

  protected _sublevel(name: string | string[], options: object): RingzeroSublevel<K, V> {
    return new RingzeroSublevel<K, V>(this as unknown as Parent, name as string, options);
  }

  override batch(...call: unknown[]): never {
    if (isEmptySync(call)) return (this.db as unknown as { sync(): Promise<void> }).sync() as never;
    if (this.status === 'open') return super.batch(...(call as [])) as never;
    return explainDeferred(this, () => super.batch(...(call as []))) as never;
  }

  override iterator(...call: unknown[]): never {
    return this.#explainable(super.iterator(...(call as []))) as never;
  }
  override keys(...call: unknown[]): never {
    return this.#explainable(super.keys(...(call as []))) as never;
  }
  override values(...call: unknown[]): never {
    return this.#explainable(super.values(...(call as []))) as never;
  }

  #explainable<T extends object>(iterator: T): T {
    return this.status === 'open' ? iterator : explainIterator(iterator, this);
  }
}
