// maxclients against what the process may open: each client takes a descriptor.

import { RingzeroError } from '../errors.ts';
import { descriptors } from '../platform/descriptors.ts';
import type { RedisGuest } from './guest.ts';
import type { Log } from './log.ts';

/**
 * Descriptors on top of those open at start: as many for files as redis-server reserves
 * (CONFIG_MIN_RESERVED_FDS), and as many for a thread that starts, which opens its modules at once.
 */
const DESCRIPTORS_RESERVED = 64;
/** Events have 24 bits for a client's slot. */
const CLIENTS_MAX = 2 ** 24 - 1;

/** Lowers maxclients to what the descriptors allow. Throws RZ_OPTION when they allow no client at all. */
export function limitClients(guest: RedisGuest, log: Log): void {
  const { most, used } = descriptors();
  if (most === undefined) return;
  const left = most - used - DESCRIPTORS_RESERVED;
  if (left < 1) {
    throw new RingzeroError(
      'RZ_OPTION',
      `Your current 'ulimit -n' of ${most} is not enough for the server to start. ` +
        'Please increase your open file limit ' +
        `to at least ${used + DESCRIPTORS_RESERVED + 1}. Exiting.`,
    );
  }
  const wanted = guest.calls.limitClients(Math.min(left, CLIENTS_MAX)) >>> 0;
  if (wanted === 0) return;
  log.warning(
    `You requested maxclients of ${wanted} requiring ` +
      `at least ${wanted + used + DESCRIPTORS_RESERVED} max file descriptors.`,
  );
  log.warning(
    `Current maximum open files is ${most}. ` +
      `maxclients has been reduced to ${left} to compensate for low ulimit. ` +
      "If you need higher maxclients increase 'ulimit -n'.",
  );
}
