// Who this server says it is: the version whose commands it speaks, its run id, and the name of its one user.

import * as config from '../config/config.ts';
import * as option from '../config/option.ts';
import * as text from '../bytes/text.ts';
import { SYS_RANDOM } from '../../../assembly/abi/syscall.ts';
import { syscall } from '../../../assembly/index.ts';

export { REDIS_VERSION as VERSION } from '../abi';
export const USER = 'default';

const RUN_ID_BYTES: u32 = 20;
const RUN_ID: usize = memory.data(24, 8);
const REPLICATION_ID: usize = memory.data(24, 8);

export function boot(): void {
  syscall(SYS_RANDOM, <i32>RUN_ID, <i32>RUN_ID_BYTES, 0, 0, 0);
  changeReplicationId();
}

/** Draws a new replication id. Nothing else depends on it: the server has no replicas. */
export function changeReplicationId(): void {
  syscall(SYS_RANDOM, <i32>REPLICATION_ID, <i32>RUN_ID_BYTES, 0, 0, 0);
}

function putId(at: usize): void {
  for (let i: u32 = 0; i < RUN_ID_BYTES; i++) text.hex(load<u8>(at + i), 2);
}

export function putRunId(): void {
  putId(RUN_ID);
}

export function putReplicationId(): void {
  putId(REPLICATION_ID);
}

/** Whether a text is the name of the one user; names of users have a case. */
export function isUser(at: u32, bytes: u32): bool {
  if (bytes != <u32>USER.length) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(at + i) != load<u16>(changetype<u32>(USER) + (i << 1))) return false;
  }
  return true;
}

/** Whether the one user needs a password. */
export function hasPassword(): bool {
  return config.textBytes(option.REQUIREPASS) != 0;
}
