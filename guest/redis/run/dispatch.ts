// From arguments to a command: what is checked before it runs, and what is counted after.
//
// Interface   execute() runs the command in args for the current client, or queues it, or refuses it;
//             callInside() runs a row without checks inside another command, as EXEC does.

import * as admission from './admission.ts';
import * as args from '../wire/args.ts';
import * as ascii from '../bytes/ascii.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as statistics from '../command/statistics.ts';
import * as config from '../config/config.ts';
import * as errors from '../command/errors.ts';
import * as evict from '../keyspace/evict.ts';
import * as log from '../border/log.ts';
import * as observe from '../stats/observe.ts';
import * as option from '../config/option.ts';
import * as propagate from './propagate.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import * as replyCheck from '../wire/reply-check.ts';
import * as stats from '../stats/stats.ts';
import * as transaction from './transaction.ts';
import { clockUs } from '../border/host.ts';
import { slab } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

let httpNotedMs: i64 = -60000;

/** The row that runs. */
/** Clients whose replies are not checked. */
const EXEMPT: u32 =
  client.CLOSE_ASAP |
  client.MONITOR |
  client.REPLY_OFF |
  client.REPLY_SKIP |
  client.REPLY_SKIP_NEXT;

let running: u32 = 0;


@inline
export function row(): u32 {
  return running;
}

/** Runs the command in args for the current client. */
export function execute(): void {
  const c = client.current();
  const start = replyBlock.length();
  const found = resolve();
  if (found == 0) return refuse(c, resolved, start);
  const flags = command.flagsOf(found);
  if (needsPassword(c, flags)) {
    errors.noAuth();
    return refuse(c, found, start);
  }
  let needs = flags;
  if (c.flags & client.MULTI) {
    if (flags & command.NO_MULTI) {
      reply.error('ERR Command not allowed inside a transaction');
      return refuse(c, found, start);
    }
    needs = neededInMulti(c, found, flags);
  }
  // While a file is loaded nothing is evicted.
  if (needs & command.DENYOOM && !admission.loading() && !hasMemory()) {
    errors.outOfMemory();
    return refuse(c, found, start);
  }
  if (admission.refusedWrites() != 0 && refuseWrite(found, needs)) return refuse(c, found, start);
  if (admission.loading() && !(flags & command.LOADING)) {
    errors.loading();
    return refuse(c, found, start);
  }
  if (c.flags & client.MONITOR && needs & (command.READONLY | command.WRITE)) {
    reply.error("ERR Replica can't interact with the keyspace");
    return refuse(c, found, start);
  }
  c.lastCommand = found;
  if (c.flags & client.MULTI && !(flags & command.UNQUEUED)) {
    transaction.enqueue(c, found);
    return;
  }
  call(found);
}

function isNamed(row: u32, name: string): bool {
  return ascii.isWord(command.nameAddress(row), command.nameBytes(row), name);
}

/**
 * A queue takes memory, so that only what ends a transaction is let in when memory is full; EXEC needs what
 * its queue does.
 */
function neededInMulti(c: client.Client, row: u32, flags: u32): u32 {
  if (!(flags & command.UNQUEUED)) return flags | command.DENYOOM;
  if (isNamed(row, 'exec')) return flags | transaction.neededFlags(c);
  return isNamed(row, 'multi') || isNamed(row, 'watch') ? flags | command.DENYOOM : flags;
}

/**
 * Replies with an error where a command may not write now. PING is refused too, so that health checks see a
 * failing disk.
 */
function refuseWrite(row: u32, needs: u32): bool {
  const refused = admission.refusedWrites();
  const isWrite = (needs & command.WRITE) != 0;
  if (refused & admission.DISK && (isWrite || isNamed(row, 'ping'))) errors.misconf();
  else if (refused & admission.REPLICAS && isWrite) errors.noReplicas();
  else return false;
  return true;
}


@inline
function needsPassword(c: client.Client, flags: u32): bool {
  return (
    !(c.flags & client.AUTHENTICATED) &&
    !(flags & command.NO_AUTH) &&
    config.textBytes(option.REQUIREPASS) != 0
  );
}

/** True when a command that may need memory can be let in: by maxmemory, and by what the VM still has. */
@inline
function hasMemory(): bool {
  return (!evict.isLimited() || evict.makeRoom()) && (slab.hasRoom(0) || evict.makeSpans());
}

/** After resolve() gave 0: the row whose arity was wrong, or 0. Valid until the next command. */
let resolved: u32 = 0;

/** The row for the arguments, subcommand and arity checked; 0 after an error reply. */
function resolve(): u32 {
  const found = command.find(args.ptr(0), args.len(0));
  resolved = 0;
  if (found == 0 || command.containerOf(found) != 0) {
    if (isHttp()) refuseHttp();
    else errors.unknownCommand();
    return 0;
  }
  let chosen = found;
  if (command.subcommandCount(found) != 0 && args.count() > 1) {
    chosen = command.findSubcommand(found, args.ptr(1), args.len(1));
    if (chosen == 0) {
      errors.unknownSubcommand(found);
      return 0;
    }
  }
  const arity = command.arityOf(chosen);
  const count = <i32>args.count();
  if (arity > 0 ? count != arity : count < -arity) {
    errors.wrongArity(chosen);
    resolved = chosen;
    return 0;
  }
  return chosen;
}

/** Any page can make a browser POST to this port, with commands for a body. Only HTTP begins lines so. */
function isHttp(): bool {
  return args.is(0, 'post') || args.is(0, 'host:');
}

function refuseHttp(): void {
  client.current().flags |= client.CLOSE_ASAP;
  const nowMs = clock.ms();
  if (nowMs - httpNotedMs < 60000) return;
  httpNotedMs = nowMs;
  log.line(
    log.WARNING,
    'Possible SECURITY ATTACK: a client speaks HTTP (POST or Host:). Its connection is closed',
  );
}

/**
 * A command was refused with the error in the reply: a transaction that was to hold it fails, and EXEC ends
 * one.
 */
function refuse(c: client.Client, row: u32, start: u32): void {
  if (row != 0) {
    statistics.countRejected(row);
    if (isNamed(row, 'exec')) transaction.abort(c, start);
  }
  noteError(start);
  if (c.flags & client.MULTI) c.flags |= client.DIRTY_EXEC;
}

/** Runs a command inside the one that runs; its reply is appended behind what that has replied so far. */
export function callInside(found: u32, vector: u32, count: u32): void {
  args.push(vector, count);
  call(found);
  args.pop();
}

/** Runs a command; counts it, its time and its failure. */
function call(found: u32): void {
  const before = running;
  running = found;
  stats.add(stats.COMMANDS, 1);
  const start = replyBlock.length();
  if (command.flagsOf(found) & command.TIMED || observe.timesAll()) callTimed(found);
  else {
    call_indirect<void>(command.handlerOf(found));
    statistics.countShared(found);
  }
  if (CHECKED && !isOneReply(start)) broken('REPLY: a command has not given one whole reply');
  if (replyBlock.startsWithError(start)) fail(found, start);
  if (propagate.isHeard()) propagate.ran(found, client.current().db);
  running = before;
}

/**
 * For the checked build. A client that is closed at once gets no reply, nor does CLIENT REPLY; a monitor gets
 * lines between the replies of EXEC.
 */
function isOneReply(start: u32): bool {
  if (replyBlock.hasFailed() || client.current().flags & EXEMPT) return true;
  const from = replyBlock.address();
  return replyCheck.isOne(from + start, from + replyBlock.length(), reply.loanedBytes());
}

function fail(found: u32, start: u32): void {
  statistics.countFailed(found);
  noteError(start);
}

/** An error reply begins at a length() read earlier. */
function noteError(start: u32): void {
  stats.add(stats.ERRORS, 1);
  observe.failed(replyBlock.address() + start + 1, replyBlock.length() - start - 3);
}

function callTimed(found: u32): void {
  const begin = clockUs();
  call_indirect<void>(command.handlerOf(found));
  const us = clockUs() - begin;
  statistics.countTimed(found, us);
  observe.timed(found, us);
}
