// Which commands the server refuses for now, from every client.
//
// Interface   setLoading() while a file is loaded; refuseWrites() for a reason. dispatch.ts asks before each
//             command.

import * as config from '../config/config.ts';
import * as option from '../config/option.ts';

/** Reasons to refuse writes: a background save failed and none has succeeded since. */
export const DISK: u32 = 1;
/** min-replicas-to-write asks for replicas, and this server has none. */
export const REPLICAS: u32 = 2;

let refusals: u32 = 0;
let isLoading: bool = false;

export function boot(): void {
  config.whenChanged(option.MIN_REPLICAS_TO_WRITE, countReplicas);
  config.whenChanged(option.MIN_REPLICAS_MAX_LAG, countReplicas);
}

function countReplicas(): void {
  const wanted = config.number(option.MIN_REPLICAS_TO_WRITE) != 0;
  refuseWrites(REPLICAS, wanted && config.number(option.MIN_REPLICAS_MAX_LAG) != 0);
}

export function refuseWrites(reason: u32, refused: bool): void {
  refusals = refused ? refusals | reason : refusals & ~reason;
}

/** Reasons for which commands that write are refused, a bit each. */
@inline
export function refusedWrites(): u32 {
  return refusals;
}

/** While a file is being loaded, commands that need the keys are refused. */
export function setLoading(loading: bool): void {
  isLoading = loading;
}


@inline
export function loading(): bool {
  return isLoading;
}
