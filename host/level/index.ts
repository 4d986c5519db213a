// The public interface of `ringzero/level`.

export { RingzeroLevel, type StoreStats, type SyncOperation, type SyncOptions } from './level.ts';
export type { RingzeroOptions, StoreOptions } from './options.ts';
export type { SyncRangeOptions } from './range.ts';
export type { RingzeroHandle } from './store.ts';
export { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
