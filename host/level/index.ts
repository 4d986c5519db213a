/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public interface of `ringzero/level`.
 *
 * @module ringzero/level
 */

export { RingzeroLevel } from './level.ts';
export type { SyncOperation, SyncOptions } from './encodings.ts';
export type { StoreStats } from './stats.ts';
export type { RingzeroOptions, StoreOptions, WriteOptions } from './options.ts';
export type { SyncRangeOptions } from './range.ts';
export { StateStore } from './state-store.ts';
export type { RingzeroHandle } from './store.ts';
export type { ByteStream, StateSource } from '../vm/state/source.ts';
export { Udf, type UdfResult } from '../udf/udf.ts';
export type { UdfOptions } from '../udf/options.ts';
export { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
