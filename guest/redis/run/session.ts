// What one client has sent is run: chunk in, replies out.
//
// Interface   receive() and resume() for a client's input (index.ts exports them); queued() for what its
//             socket has not taken; open() and close() for its life.
// Invariants  SESS-1  A call leaves at most a batch of replies (output.ts) and one more reply: then it
//                     returns FLAG_MORE, and the host calls resume() for the rest of the input before it runs
//                     that of another client.
//             SESS-2  After FLAG_CLOSE no input of the client is run.

import * as abi from '../abi.ts';
import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as clientEvent from '../client/event.ts';
import * as clientMemory from './client-memory.ts';
import * as clock from '../border/clock.ts';
import * as statistics from '../command/statistics.ts';
import * as config from '../config/config.ts';
import * as dispatch from './dispatch.ts';
import * as errors from '../command/errors.ts';
import * as input from '../wire/input.ts';
import * as io from './io.ts';
import * as locality from './locality.ts';
import * as monitor from './monitor.ts';
import * as option from '../config/option.ts';
import * as output from './output.ts';
import * as pending from '../client/pending.ts';
import * as protocol from '../wire/protocol.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import * as space from '../keyspace/space.ts';
import * as stats from '../stats/stats.ts';
import * as stranger from './stranger.ts';
import * as transaction from './transaction.ts';
import * as watch from '../keyspace/watch.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { clockUs } from '../border/host.ts';
import { EMFILE } from '../../../assembly/abi/errno.ts';

const ENDS_RUN: u32 =
  client.CLOSE_AFTER_REPLY |
  client.CLOSE_ASAP |
  client.REPLY_OFF |
  client.REPLY_SKIP |
  client.REPLY_SKIP_NEXT;

let leftAt: u32 = 0; // what is left in the window after FLAG_MORE
let leftBytes: u32 = 0;
let lookAt: u32 = 0; // length of the replies at which the batch that runs looks at its client's limits

/**
 * A connection, from this machine over a Unix socket or from an address: its slot, or -EMFILE with the reply
 * to send.
 */
export function open(infoBytes: u32, isUnix: bool): i32 {
  replyBlock.reset();
  stats.add(stats.CONNECTIONS, 1);
  if (<i64>client.count() >= config.number(option.MAXCLIENTS)) return refuse();
  const record = client.open();
  if (record == 0) return refuse();
  const c = changetype<client.Client>(record);
  let peer: u32 = 0; // bytes of the address
  while (peer < infoBytes && load<u8>(io.rx() + peer) != 0) peer++;
  c.address = client.newText(io.rx(), peer);
  if (c.address == 0) return abandon(c); // later nothing could tell where it came from
  if (isUnix) c.flags |= client.UNIX_SOCKET | client.LOCAL;
  else if (locality.isLoopback(io.rx(), peer)) c.flags |= client.LOCAL;
  if (peer + 1 < infoBytes) {
    c.localAddress = client.newText(io.rx() + peer + 1, infoBytes - peer - 1);
  }
  if (config.textBytes(option.REQUIREPASS) == 0) c.flags |= client.AUTHENTICATED;
  if (locality.isDenied(c)) {
    client.close(record);
    stats.add(stats.REJECTED, 1);
    io.publish();
    return -EMFILE;
  }
  io.publish();
  return <i32>c.slot;
}

/** Out of memory for a connection. */
function abandon(c: client.Client): i32 {
  client.close(changetype<u32>(c));
  stats.add(stats.REJECTED, 1);
  io.publish();
  return -EMFILE;
}

function refuse(): i32 {
  stats.add(stats.REJECTED, 1);
  reply.error('ERR max number of clients reached');
  io.publish();
  return -EMFILE;
}

/** A connection has ended. */
export function close(slot: u32): void {
  const record = client.at(slot);
  if (record == 0) return;
  const c = changetype<client.Client>(record);
  transaction.discard(c);
  monitor.leave(c);
  watch.clear(c);
  input.drop(c);
  output.forget(c);
  stranger.forget(c);
  clientMemory.forget(c);
  clientEvent.forget(c);
  client.close(record);
}

/** Begins a batch for the client in a slot. */
function enter(slot: u32): client.Client {
  const record = client.at(slot);
  if (record == 0) unreachable();
  const c = changetype<client.Client>(record);
  if (CHECKED && c.pendingHead != 0) broken('PENDING-1: output waits for a client that runs');
  client.setCurrent(record);
  c.activeMs = clock.ms();
  space.select(c.db);
  replyBlock.reset();
  reply.setProtocol(c.protocol);
  lookAt = output.lookAt(c);
  return c;
}

/** Ends a batch: the reply is shown to the host. */
function leave(c: client.Client, state: u32): i32 {
  if (CHECKED && (args.depth != 0 || c.flags & client.IN_EXEC))
    broken('SESS: a command inside a command has not ended');
  const us = clockUs() - clock.us();
  statistics.settleBatch(us);
  if (replyBlock.hasFailed()) {
    replyBlock.reset();
    c.flags |= client.CLOSE_ASAP;
  }
  if (stranger.isConcerned(c)) stranger.settle(c);
  if (clientMemory.isLimited()) clientMemory.settle(c);
  if (c.flags & client.CLOSE_ASAP) replyBlock.reset();
  io.publish();
  stats.add(stats.OUTPUT_BYTES, replyBlock.length());
  let flags: u32 = io.hasEvents() ? abi.FLAG_EVENTS : 0;
  if (io.isListenPosted()) flags |= abi.FLAG_LISTEN;
  if (c.flags & (client.CLOSE_AFTER_REPLY | client.CLOSE_ASAP)) {
    input.drop(c);
    flags |= abi.FLAG_CLOSE;
  } else if (state == protocol.READY) flags |= abi.FLAG_MORE;
  client.setCurrent(0);
  return flags;
}

/** A chunk of a client has arrived: runs every command that is whole. */
export function receive(slot: u32, bytes: u32): i32 {
  const c = enter(slot);
  stats.add(stats.INPUT_BYTES, bytes);
  leftBytes = 0;
  if (c.flags & (client.CLOSE_AFTER_REPLY | client.CLOSE_ASAP)) return leave(c, protocol.EMPTY);
  if (c.input == 0 && c.queueText == 0) {
    protocol.begin(io.rx(), bytes);
    return leave(c, run(c));
  }
  if (input.isOver(c, bytes) || (c.input != 0 && !input.append(c, io.rx(), bytes))) {
    stats.add(stats.LIMIT_CLOSED, 1);
    c.flags |= client.CLOSE_ASAP;
    return leave(c, protocol.EMPTY);
  }
  if (c.input != 0) return leave(c, runBuffer(c));
  protocol.begin(io.rx(), bytes);
  return leave(c, run(c));
}

/** Goes on after FLAG_MORE. */
export function resume(slot: u32): i32 {
  const record = client.at(slot);
  if (record != 0 && changetype<client.Client>(record).loanStep == LOAN_HEAD)
    return showLoan(changetype<client.Client>(record));
  const c = enter(slot);
  if (c.flags & client.CLOSE_ASAP) return leave(c, protocol.EMPTY);
  if (c.loanStep == LOAN_SHOWN) {
    c.loanStep = 0;
    reply.crlf();
  }
  if (c.input != 0) return leave(c, runBuffer(c));
  protocol.begin(leftAt, leftBytes);
  leftBytes = 0;
  return leave(c, run(c));
}

// A string that reply.bulkLoan() announced is the second of three parts: head, bytes, CR LF.
const LOAN_HEAD: u32 = 1; // the head is in the reply
const LOAN_SHOWN: u32 = 2; // the host has been shown the bytes

function beginLoan(c: client.Client): void {
  c.loanStep = LOAN_HEAD;
  c.loan = reply.loaned();
  c.loanBytes = reply.loanedBytes();
  reply.endLoan();
}

function showLoan(c: client.Client): i32 {
  c.loanStep = LOAN_SHOWN;
  io.publishLoan(c.loan, c.loanBytes);
  stats.add(stats.OUTPUT_BYTES, c.loanBytes);
  return abi.FLAG_MORE;
}

/**
 * Shows the host what was sent to a client while it was not running: a block each time, nothing at the end.
 */
export function takeOutput(slot: u32): void {
  const record = client.at(slot);
  const block = record == 0 ? 0 : pending.take(changetype<client.Client>(record));
  if (block == 0) io.publishLoan(0, 0);
  else io.publishLoan(pending.addressOf(block), pending.bytesOf(block));
  if (block != 0) stats.add(stats.OUTPUT_BYTES, pending.bytesOf(block));
}

/** The host keeps this many bytes for a client, which its socket has not taken. FLAG_* of io.ts. */
export function queued(slot: u32, bytes: u64, blocks: u32): i32 {
  const record = client.at(slot);
  if (record == 0) return 0;
  const c = changetype<client.Client>(record);
  output.queued(c, bytes, blocks);
  if (clientMemory.isLimited()) clientMemory.settle(c);
  return io.hasEvents() ? abi.FLAG_EVENTS : 0;
}

function runBuffer(c: client.Client): u32 {
  if (input.isFilling(c)) return protocol.EMPTY;
  const end = c.input + c.inputBytes;
  if (c.argumentsTotal != 0) protocol.resume(c.input, c.input + c.inputAt, end, c);
  else protocol.begin(c.input + c.inputAt, c.inputBytes - c.inputAt);
  return run(c);
}

/** Runs commands until the input ends, or the replies are many: then READY is returned. */
function run(c: client.Client): u32 {
  while (true) {
    const start = replyBlock.length();
    const state = protocol.next();
    if (state == protocol.READY) {
      if (c.flags & client.ARGUMENT_LOST) lose(c);
      else dispatch.execute();
      if (c.arguments != 0) endKept(c);
      if (c.flags & ENDS_RUN && !goesOn(c, start)) return protocol.EMPTY;
      if (reply.loanedBytes() != 0 || replyBlock.length() > lookAt) {
        if (
          output.isOver(c, <u64>replyBlock.length() + reply.loanedBytes(), protocol.readBytes())
        ) {
          reply.endLoan();
          output.cut(c);
          return protocol.EMPTY;
        }
        if (reply.loanedBytes() != 0 || protocol.left() != 0) {
          if (reply.loanedBytes() != 0) beginLoan(c);
          suspend(c);
          return protocol.READY;
        }
      }
    } else if (state == protocol.EMPTY) {
      // An empty line runs nothing, but counts for CLIENT REPLY SKIP.
      if (c.flags & ENDS_RUN && protocol.at() != protocol.start()) skipNext(c);
      if (protocol.left() == 0) {
        protocol.trim();
        if (c.input != 0) input.empty(c);
        return state;
      }
    } else {
      if (state == protocol.BROKEN) {
        c.flags |= client.CLOSE_AFTER_REPLY;
        if (c.flags & (client.REPLY_OFF | client.REPLY_SKIP)) replyBlock.rewind(start);
      } else if (!input.keep(c)) c.flags |= client.CLOSE_ASAP;
      return protocol.EMPTY;
    }
  }
}

/** The command came in pieces: its arguments are freed, and the next is read where it ends. */
function endKept(c: client.Client): void {
  input.finish(c);
  protocol.begin(protocol.at(), protocol.left());
}

/** A large argument found no memory: the command is answered, not run. */
function lose(c: client.Client): void {
  errors.outOfMemory();
  if (c.flags & client.MULTI) c.flags |= client.DIRTY_EXEC;
}

/** Follows CLIENT REPLY and the ends of connections; false when no more of the input is to be run. */
function goesOn(c: client.Client, before: u32): bool {
  if (c.flags & (client.REPLY_OFF | client.REPLY_SKIP)) {
    replyBlock.rewind(before);
    reply.endLoan();
  }
  skipNext(c);
  return !(c.flags & (client.CLOSE_AFTER_REPLY | client.CLOSE_ASAP));
}

/** CLIENT REPLY SKIP is about one command, the next. */
function skipNext(c: client.Client): void {
  c.flags &= ~client.REPLY_SKIP;
  if (c.flags & client.REPLY_SKIP_NEXT) {
    c.flags = (c.flags & ~client.REPLY_SKIP_NEXT) | client.REPLY_SKIP;
  }
}

function suspend(c: client.Client): void {
  if (c.input != 0) {
    c.argumentsTotal = 0;
    c.inputAt = protocol.at() - c.input;
  } else {
    leftAt = protocol.at();
    leftBytes = protocol.left();
  }
}
