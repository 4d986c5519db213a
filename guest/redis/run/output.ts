// What waits to be sent to a client: how much, and when that is too much (client-output-buffer-limit).
//
// Interface   The host keeps the bytes, and says with queued() how many a socket has not taken. A batch may
//             add lookAt() bytes before it asks isOver(); watch() looks again at a client ten times a second.
//             send() is for output that is not the reply to a client's own command.
// Structure   As redis-server: FIRST_BYTES wait in a client's first buffer, which no limit counts; the rest
//             is its list.
// Invariants  OUTPUT-1  What the host keeps for all clients is in heap.usedBytes(), so it counts towards
//                       maxmemory.

import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as clock from '../border/clock.ts';
import * as heap from '../bytes/heap.ts';
import * as line from './client-line.ts';
import * as log from '../border/log.ts';
import * as pending from '../client/pending.ts';
import * as reply from '../wire/reply.ts';
import * as outputLimit from '../config/output-limit.ts';
import * as stats from '../stats/stats.ts';
import * as stranger from './stranger.ts';
import * as text from '../bytes/text.ts';
import { Client } from '../client/client.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

/** A batch ends when its replies are longer: the host sends them, and the input that is left is resumed. */
const BATCH_MAX: u32 = 1048576;
/** What may wait for a client that has not given the password, on top of its first buffer. */
const STRANGER_BYTES: u64 = 1024;
/** Input of a client that redis-server reads before it sends the replies to it. */
const INPUT_AT_ONCE: u32 = 16384;

/** The class whose limits hold for a client. Replicas and subscribers do not exist yet. */
@inline
function classOf(c: Client): u32 {
  return outputLimit.CLASS_NORMAL;
}

function hardLimit(c: Client): u64 {
  const limit = outputLimit.hard(classOf(c));
  if (!stranger.is(c)) return limit;
  return limit == 0 ? STRANGER_BYTES : min(limit, STRANGER_BYTES);
}

/** Length of a batch's replies at which it is to ask isOver(), or to end. */
export function lookAt(c: Client): u32 {
  const hard = hardLimit(c);
  if (hard == 0) return BATCH_MAX;
  const room = hard + client.FIRST_BYTES - min(c.output, hard + client.FIRST_BYTES);
  return <u32>min<u64>(room, BATCH_MAX);
}

/**
 * True when a client must be cut off now that `replyBytes` more would wait; `inputBytes` of its input have
 * led to them.
 */
export function isOver(c: Client, replyBytes: u64, inputBytes: u32): bool {
  if (inputBytes > INPUT_AT_ONCE) return false; // the host tries to send first, and then says what is left
  return isTooMuch(c, c.output + replyBytes);
}

function isTooMuch(c: Client, waiting: u64): bool {
  const counted = waiting - min<u64>(waiting, client.FIRST_BYTES);
  const hard = hardLimit(c);
  if (hard != 0 && counted >= hard) return true;
  const soft = outputLimit.soft(classOf(c));
  if (soft == 0 || counted < soft) {
    c.softSinceMs = 0;
    return false;
  }
  if (c.softSinceMs == 0) c.softSinceMs = clock.ms();
  return (clock.ms() - c.softSinceMs) / 1000 > outputLimit.softSeconds(classOf(c));
}

/** The host keeps this many bytes for a client, in this many blocks. */
export function queued(c: Client, bytes: u64, blocks: u32): void {
  heap.countOutside(<i64>bytes - <i64>c.output);
  c.output = bytes;
  c.outputBlocks = blocks;
  watch(c);
}

/** Cuts a client off that is over its limit. */
export function watch(c: Client): void {
  if (c.output != 0 && !(c.flags & client.CLOSE_ASAP) && isTooMuch(c, c.output)) cut(c);
}

/**
 * Sends bytes to a client: to the one that runs behind its replies, to another one with an event of its
 * own. A client without memory for them, or over its limit, is closed.
 */
export function send(c: Client, from: u32, bytes: u32): void {
  if (c.flags & (client.CLOSE_AFTER_REPLY | client.CLOSE_ASAP)) return;
  if (changetype<u32>(c) == changetype<u32>(client.current())) return reply.raw(from, bytes);
  if (!pending.append(c, from, bytes)) clientEvent.close(c);
  else if (isTooMuch(c, c.output + c.pendingBytes)) cut(c);
}

/** Closes a client's connection, and says why. */
export function cut(c: Client): void {
  text.begin();
  text.ascii('Client ');
  line.put(c);
  text.ascii(' scheduled to be closed ASAP for overcoming of output buffer limits.');
  log.begin('');
  log.bytes(text.address(), text.length());
  log.end(log.WARNING);
  text.end();
  stats.add(stats.LIMIT_CLOSED, 1);
  clientEvent.close(c);
}

/** A client is gone: what waited for it is dropped. */
export function forget(c: Client): void {
  pending.drop(c);
  if (CHECKED && c.pendingBytes != 0) broken('PENDING: bytes of no block');
  heap.countOutside(-(<i64>c.output));
  c.output = 0;
}
