// The Redis guest: what the host calls. One vCPU runs all of this.
//
// Registers   As docs/guest-style.md has them: number.parsed, hash.textAt. Text composed for a caller, such
//             as the digits of an integer, goes to memory that the caller names, so that nothing else
//             overwrites it. A command that runs inside another, as in EXEC, overwrites all of them: only
//             args and the row are kept for the outer one (args.push).

import * as abi from './abi.ts';
import * as admission from './run/admission.ts';
import * as client from './client/client.ts';
import * as clock from './border/clock.ts';
import * as config from './config/config.ts';
import * as configFile from './config/config-file.ts';
import * as configSet from './server/config-set.ts';
import * as cronjob from './server/cron.ts';
import * as evict from './keyspace/evict.ts';
import * as identity from './client/identity.ts';
import * as io from './run/io.ts';
import * as metrics from './server/metrics.ts';
import * as optionRows from './config/option-rows.ts';
import * as pace from './client/hz.ts';
import * as persistence from './persist/persistence.ts';
import * as loading from './persist/loading.ts';
import { run as saveChild } from './persist/persistence.ts';
import * as protocol from './wire/protocol.ts';
import * as random from './bytes/random.ts';
import * as reply from './wire/reply.ts';
import * as replyBlock from './wire/reply-block.ts';
import * as session from './run/session.ts';
import * as shutdownNow from './server/shutdown.ts';
import * as siphash from './bytes/siphash.ts';
import * as space from './keyspace/space.ts';
import * as stranger from './run/stranger.ts';
import * as telemetry from './server/telemetry.ts';
import { SYS_RANDOM } from '../../assembly/abi/syscall.ts';
import { slab, syscall } from '../../assembly/index.ts';
import { registerAll } from './commands.ts';
import { register as registerUdf } from './server/udf-command.ts';

const SEED: usize = memory.data(24, 8);

/** Once, before anything else: the receive window, the number of databases, Unix time in ms. */
export function init(rxAddress: i32, rxBytes: i32, databases: i32, nowMs: f64): i32 {
  clock.set(nowMs, 0);
  slab.boot();
  syscall(SYS_RANDOM, <i32>SEED, 24, 0, 0, 0);
  siphash.seed(load<u64>(SEED), load<u64>(SEED, 8));
  random.seed(load<u64>(SEED, 16));
  io.boot(rxAddress, rxBytes);
  optionRows.boot();
  replyBlock.boot();
  protocol.boot();
  client.boot();
  space.boot(databases);
  registerAll();
  admission.boot();
  evict.boot();
  persistence.boot();
  identity.boot();
  telemetry.boot();
  stranger.boot();
  return 0;
}

/** Once, where users may load functions. */
export function enableUdf(): void {
  registerUdf();
}

/** A connection; "peer\0local" is in the window. Its slot, or -EMFILE with an error reply. */
export function connect(infoBytes: i32, isUnix: i32, nowMs: f64): i32 {
  clock.set(nowMs, 0);
  return session.open(infoBytes, isUnix != 0);
}

/** A chunk of a client is in the window. FLAG_* of io.ts. */
export function receive(slot: i32, bytes: i32, nowMs: f64, nowUs: f64): i32 {
  clock.set(nowMs, nowUs);
  return session.receive(slot, bytes);
}

/** After FLAG_MORE, when the reply has been copied. */
export function resume(slot: i32, nowMs: f64, nowUs: f64): i32 {
  clock.set(nowMs, nowUs);
  return session.resume(slot);
}

/**
 * The host keeps this many bytes for a client, in this many blocks, because its socket has not taken them.
 * FLAG_* of io.ts.
 */
export function queued(slot: i32, bytes: f64, blocks: i32, nowMs: f64): i32 {
  clock.set(nowMs, 0);
  return session.queued(slot, <u64>bytes, blocks);
}

/**
 * After EVENT_OUTPUT, as long as it shows bytes in the reply block: output of a client that is not running.
 */
export function output(slot: i32): void {
  session.takeOutput(slot);
}

export function disconnect(slot: i32): void {
  session.close(slot);
}

/** hz() times a second. FLAG_* of io.ts. */
export function cron(nowMs: f64, nowUs: f64): i32 {
  clock.set(nowMs, nowUs);
  persistence.setBusy(true);
  cronjob.run();
  persistence.setBusy(false);
  return io.hasEvents() ? abi.FLAG_EVENTS : 0;
}

/** How often cron() is to be called a second, by the options and the number of clients. */
export function hz(): i32 {
  return <i32>pace.hz();
}

/** Address of [reply address u32 | reply bytes u32]. */
export function ioBlock(): i32 {
  return io.block();
}

/** The next event, kind << 24 | argument, or 0. */
export function nextEvent(): i32 {
  return io.nextEvent();
}

/** Begins to load the file dbfilename: 1, or a negative errno; -ENOENT is a fresh start. */
export function startLoad(): i32 {
  return loading.startLoad();
}

/** Loads the next `bytes` bytes: 1 when there are more, 0 at the end, or a negative errno. */
export function loadMore(bytes: u32, nowMs: f64, nowUs: f64): i32 {
  clock.set(nowMs, nowUs);
  persistence.setBusy(true);
  const result = loading.loadMore(bytes);
  persistence.setBusy(false);
  return result;
}

/** Keys and libraries of functions that the last load left out. */
export function leftOut(): f64 {
  return <f64>loading.leftOut();
}

/** A number for monitors, METRIC_* of abi.ts. */
export function metric(which: i32): f64 {
  return metrics.read(which);
}

/** What snapshots run, and all that their image has. */
export { saveChild };

/** Sets an option as the command line does: name, then value, are in the window. 0, or -EINVAL. */
export function setOption(nameBytes: i32, valueBytes: i32): i32 {
  return configSet.setOption(io.rx(), nameBytes, io.rx() + nameBytes, valueBytes);
}

/**
 * The machine can serve this many clients at a time: lowers maxclients; what it was before, if it was more,
 * else 0.
 */
export function limitClients(most: i32): i32 {
  return configSet.limitClients(most);
}

/** Address of "name\0value" of an option; composedBytes() is its length. */
export function optionAddress(index: i32): i32 {
  return configSet.optionAddress(index);
}

/** After FLAG_LISTEN: where in the reply of that call +OK has to wait for the host's listening, or -1. */
export function listenReply(): i32 {
  return io.takeListen();
}

/** Once: the whole name of the file that the server was started with is in the window. */
export function setConfigFile(bytes: i32): void {
  configFile.setPath(io.rx(), bytes);
}

/** The number of an option whose name is in the window, or -1. */
export function optionIndex(nameBytes: i32): i32 {
  return <i32>config.find(io.rx(), nameBytes);
}

/** Where the text of the last optionAddress(), or of why setOption() failed, is. */
export function composedAddress(): i32 {
  return configSet.composedAddress();
}

export function composedBytes(): i32 {
  return configSet.composedBytes();
}

/** SHUTDOWN with the flags of shutdown.ts: 1 when the server is to end, and events say how. */
export function shutdown(flags: i32): i32 {
  return shutdownNow.begin(flags) ? 1 : 0;
}
