/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public interface of `ringzero/level`.
 *
 * @module ringzero/level
 */

export {
  RingzeroLevel,
  type StoreStats,
  type SyncOperation,
  type SyncOptions,
  type WriteOptions,
} from './level.ts';
export type { RingzeroOptions, StoreOptions } from './options.ts';
export type { SyncRangeOptions } from './range.ts';
export type { RingzeroHandle } from './store.ts';
export { Udf, type UdfResult } from '../udf/udf.ts';
export type { UdfOptions } from '../udf/options.ts';
export { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
