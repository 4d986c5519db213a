// Output for clients that are not running, until the host takes it: at the end of the call that made it.
//
// Interface   append() for a client; take() hands out block after block; drop() when the client's record
//             is freed. run/output.ts sends: it knows which client runs, and the limits.
// Structure   A list of blocks: [next u32 | bytes used u32 | room u32][bytes...]. `pendingBytes` counts their
//             memory.
// Invariants  PENDING-1  A client that runs has none: the host took it before it handed in the client's
//                        input.

import * as event from './event.ts';
import * as heap from '../bytes/heap.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { Client } from './client.ts';

const HEAD_BYTES: u32 = 12;
const BLOCK_BYTES: u32 = 4096;

let taken: u32 = 0; // the block that the host reads

/** Appends bytes; false if out of memory, and then a part of them may have been appended. */
export function append(c: Client, from: u32, bytes: u32): bool {
  const tail = c.pendingTail;
  let fits: u32 = 0;
  if (tail != 0) {
    fits = min(bytes, load<u32>(tail, 8) - load<u32>(tail, 4));
    put(tail, from, fits);
  }
  if (fits == bytes) return true;
  const room = max(bytes - fits, BLOCK_BYTES - HEAD_BYTES);
  const block = room > 0x40000000 ? 0 : heap.alloc(HEAD_BYTES + room);
  if (block == 0) return false;
  store<u32>(block, 0);
  store<u32>(block, 0, 4);
  store<u32>(block, room, 8);
  put(block, from + fits, bytes - fits);
  if (tail == 0) c.pendingHead = block;
  else store<u32>(tail, block);
  c.pendingTail = block;
  c.pendingBytes += HEAD_BYTES + room;
  event.post(c, event.OUTPUT);
  return true;
}

function put(block: u32, from: u32, bytes: u32): void {
  const used = load<u32>(block, 4);
  memory.copy(block + HEAD_BYTES + used, from, bytes);
  store<u32>(block, used + bytes, 4);
}

/** The next block of a client, removed from its list, or 0. It is there until the next take(). */
export function take(c: Client): u32 {
  release();
  taken = c.pendingHead;
  if (taken == 0) return 0;
  c.pendingHead = load<u32>(taken);
  if (c.pendingHead == 0) c.pendingTail = 0;
  c.pendingBytes -= HEAD_BYTES + load<u32>(taken, 8);
  if (CHECKED && (c.pendingBytes == 0) != (c.pendingHead == 0))
    broken('PENDING: the bytes of the blocks do not add up');
  return taken;
}

export function addressOf(block: u32): u32 {
  return block + HEAD_BYTES;
}

export function bytesOf(block: u32): u32 {
  return load<u32>(block, 4);
}

/** Frees the block that take() handed out last. */
export function release(): void {
  if (taken != 0) heap.free(taken, 0);
  taken = 0;
}

/** Frees what waits for a client. */
export function drop(c: Client): void {
  while (take(c) != 0) {}
}
