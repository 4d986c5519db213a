// MULTI: the queue of a client's commands. server/transaction-command.ts runs it.
//
// Interface   enqueue() instead of running; next() walks the queue; discard() forgets it, the state and the
//             watches.
// Structure   A command is one block: [next u32 | row u32 | arguments u32 | bytes u32 | argument vector |
//             their bytes]. The block does not move, so the vector holds addresses and is what args works on.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as errors from '../command/errors.ts';
import * as heap from '../bytes/heap.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import * as text from '../bytes/text.ts';
import * as watch from '../keyspace/watch.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

const HEAD_BYTES: u32 = 16;

/** Queues the command in args. */
export function enqueue(c: client.Client, row: u32): void {
  // It will not run, so it is not kept, and EXEC does not need what it needs.
  if (c.flags & (client.DIRTY_CAS | client.DIRTY_EXEC)) return reply.queued();
  const count = args.count();
  let bytes: u64 = HEAD_BYTES + ((<u64>count) << 3);
  for (let i: u32 = 0; i < count; i++) bytes += args.len(i);
  const block = bytes > 0xe0000000 ? 0 : heap.alloc(<u32>bytes);
  if (block == 0) {
    errors.outOfMemory();
    c.flags |= client.DIRTY_EXEC;
    return;
  }
  store<u32>(block, 0);
  store<u32>(block, row, 4);
  store<u32>(block, count, 8);
  store<u32>(block, <u32>bytes, 12);
  let to = block + HEAD_BYTES + (count << 3);
  for (let i: u32 = 0; i < count; i++) {
    memory.copy(to, args.ptr(i), args.len(i));
    store<u32>(block + HEAD_BYTES + (i << 3), to);
    store<u32>(block + HEAD_BYTES + (i << 3), args.len(i), 4);
    to += args.len(i);
  }
  if (c.queueTail != 0) store<u32>(c.queueTail, block);
  else c.queueHead = block;
  c.queueTail = block;
  c.queueCount++;
  c.queueBytes += <u32>bytes;
  c.queueText += bytes - HEAD_BYTES - ((<u64>count) << 3);
  if (CHECKED && to != block + <u32>bytes) broken('QUEUE: a command does not fill its block');
  reply.queued();
}

// A walk: `for (let block = c.queueHead; block != 0; block = next(block))`.

export function next(block: u32): u32 {
  return load<u32>(block);
}

export function rowOf(block: u32): u32 {
  return load<u32>(block, 4);
}

/** Where the argument vector of a queued command is, as args.set() takes it. */
export function vectorOf(block: u32): u32 {
  return block + HEAD_BYTES;
}

export function argumentsOf(block: u32): u32 {
  return load<u32>(block, 8);
}

/** The flags that EXEC has by its queue: those of every command in it that say what it needs. */
export function neededFlags(c: client.Client): u32 {
  let flags: u32 = 0;
  for (let block = c.queueHead; block != 0; block = next(block))
    flags |= command.flagsOf(rowOf(block));
  return flags & (command.WRITE | command.DENYOOM);
}

/**
 * EXEC itself is refused: its error, which begins at `start` in the reply, becomes the reason of an
 * EXECABORT.
 */
export function abort(c: client.Client, start: u32): void {
  discard(c);
  const code: u32 = replyBlock.isCode(start, 'ERR ') ? 5 : 1;
  text.begin();
  text.bytes(replyBlock.address() + start + code, replyBlock.length() - start - code - 2);
  replyBlock.rewind(start);
  reply.errorBegin('EXECABORT Transaction discarded because of: ');
  reply.plain(text.address(), text.length());
  reply.errorEnd();
  text.end();
}

/** For the checked build: whether the sums of a queue are right. */
function isCounted(c: client.Client): bool {
  let count: u32 = 0;
  let bytes: u32 = 0;
  for (let block = c.queueHead; block != 0; block = next(block)) {
    count++;
    bytes += load<u32>(block, 12);
  }
  return count == c.queueCount && bytes == c.queueBytes;
}

/** Leaves MULTI, and watches nothing any more. */
export function discard(c: client.Client): void {
  if (CHECKED && !isCounted(c)) broken('QUEUE: the commands of a client do not add up');
  let block = c.queueHead;
  while (block != 0) {
    const next = load<u32>(block);
    heap.free(block, load<u32>(block, 12));
    block = next;
  }
  c.queueHead = 0;
  c.queueTail = 0;
  c.queueCount = 0;
  c.queueBytes = 0;
  c.queueText = 0;
  c.flags &= ~(client.MULTI | client.DIRTY_CAS | client.DIRTY_EXEC);
  watch.clear(c);
}
