// Saving of the databases: when a save begins and what its end means; loading.ts loads them.
//
// Interface   boot() once. save() and startSave() write the file dbfilename; cancelSave() ends a child.
//             tick() ten times a second: save points. A child's end is an interrupt. afterFlushAll() by
//             FLUSHALL.
// States      A child runs, child >= 0, or none does, NO_CHILD.
//
//             from  -> to       | function     | what must hold
//             none  -> running  | startSave    | the snapshot was taken; writes go on
//             running -> none   | finish       | its result is known; its file is renamed or unlinked
//             running -> none   | cancelSave   | it was told to stop; its file is unlinked; reap() ends it
// Invariants  PERSIST-1  By construction of snapshots: a child's stores are its own. What it achieved is in
//                        its result and in the file, nowhere else.
//             PERSIST-2  dirty counts the changes that no good file has: a save subtracts those from before
//                        its snapshot.

import * as admission from '../run/admission.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as crc64 from '../rdb/crc64.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as log from '../border/log.ts';
import * as number from '../bytes/number.ts';
import * as observe from '../stats/observe.ts';
import * as option from '../config/option.ts';
import * as rdbSave from '../rdb/save.ts';
import * as savePoint from '../config/save-point.ts';
import * as space from '../keyspace/space.ts';
import { HOST_PID, HOST_SAVED } from '../abi.ts';
import { clockUs, hostInfo } from '../border/host.ts';
import { COUNTER_COPIES } from '../../../assembly/abi/counter.ts';
import { EAGAIN, EINTR } from '../../../assembly/abi/errno.ts';
import { FRAME_BYTES } from '../../../assembly/abi/limits.ts';
import { SYS_UNLINK } from '../../../assembly/abi/syscall.ts';
import { VECTOR_CHILD } from '../../../assembly/abi/vector.ts';
import {
  childStatus,
  counter,
  killChild,
  setHandler,
  spawn,
  syscall,
} from '../../../assembly/index.ts';

const NO_CHILD: i32 = -1;
const RETRY_MS: i64 = 5000; // after a failed background save
const NAME_MAX: u32 = 255;

const TEMPORARY: usize = memory.data(64, 8);
const CHECKSUM: usize = memory.data(33408, 64); // crc64.SCRATCH_BYTES, for files that are read
const STOPPED: usize = memory.data(64, 8); // name of the file of a child that was told to stop
const NUMBERS: usize = memory.data(128, 8); // by child: number in the name of its file
const PATH: usize = memory.data(256, 8); // NAME_MAX: dbfilename may change while a child saves

let temporaryBytes: u32 = 0;
let pathBytes: u32 = 0;
let child: i32 = NO_CHILD;
let dying: u32 = 0; // a bit per child that was told to stop and has not ended yet
let tries: u32 = 0; // saves begun
let childDirty: u64 = 0; // dirty at the time of the snapshot
let childStartUs: f64 = 0;
let childCopies: f64 = 0; // pages copied before the child began
let childKeys: u64 = 0;
let hasSucceeded: bool = true; // the last background save
let lastSaveMs: i64 = 0;
let lastTryMs: i64 = 0;
let lastUs: f64 = -1;
let lastCow: u64 = 0;
let saveCount: u64 = 0;
let countAtCancel: u64 = 0; // saveCount when the last child was told to stop

export function boot(): void {
  crc64.build(<u32>CHECKSUM);
  lastSaveMs = clock.ms();
  observe.listenTick(tick);
  config.whenChanged(option.STOP_WRITES_ON_BGSAVE_ERROR, refuse);
  config.whenChanged(option.SAVE_POINTS, refuse);
  setHandler(VECTOR_CHILD, <i32>onChildEnd.index);
}

// --- What INFO shows ---------------------------------------------------------------------------------------

/** True while a child saves. */
@inline
export function isSaving(): bool {
  return child != NO_CHILD;
}

/** Unix time of the last good save, or of the start. */
export function lastSaveSeconds(): i64 {
  return lastSaveMs / 1000;
}

/** Whether the last background save was good; true before the first. */
export function isLastGood(): bool {
  return hasSucceeded;
}

/** How long the last background save took, -1 before the first. */
export function lastDurationSeconds(): i64 {
  return lastUs < 0 ? -1 : <i64>(lastUs / 1000000);
}

/** How long the running background save has taken, -1 when none is running. */
export function currentDurationSeconds(): i64 {
  return isSaving() ? <i64>((clockUs() - childStartUs) / 1000000) : -1;
}

/** Good saves since the start. */
export function saves(): u64 {
  return saveCount;
}

/** Bytes that were copied because of the last background save. */
export function lastCowBytes(): u64 {
  return lastCow;
}

/** Bytes copied because of the running background save; 0 when none is running. */
export function currentCowBytes(): u64 {
  return isSaving() ? cowBytes() : 0;
}

/** Keys that the running background save will write; 0 when none is running. */
export function currentKeysTotal(): u64 {
  return isSaving() ? childKeys : 0;
}

/** Progress of the running background save, 0 to 1000; 0 when none is running. */
export function currentPerMille(): u64 {
  return isSaving() ? <u64>hostInfo(HOST_SAVED) : 0;
}

function cowBytes(): u64 {
  return <u64>max<f64>(counter(COUNTER_COPIES) - childCopies, 0) * FRAME_BYTES;
}

// --- Saving ------------------------------------------------------------------------------------------------

/**
 * Writes a name of a temporary file; its bytes. A child that was told to stop may still hold the last one.
 */
function putName(at: u32, number_: u32): u32 {
  store<u32>(at, 0x706d6574); // temp-
  store<u8>(at, 45, 4);
  let end = 5 + number.format(at + 5, <i64>hostInfo(HOST_PID));
  if (number_ != 0) {
    store<u8>(at + end, 45);
    end += 1 + number.format(at + end + 1, <i64>number_);
  }
  store<u32>(at + end, 0x6264722e); // .rdb
  return end + 4;
}

/** Puts the names of both files where a child finds them too. */
function prepare(): void {
  temporaryBytes = putName(<u32>TEMPORARY, tries++);
  pathBytes = min(config.textBytes(option.DBFILENAME), NAME_MAX);
  memory.copy(PATH, config.textAddress(option.DBFILENAME), pathBytes);
}

function unlinkTemporary(): void {
  syscall(SYS_UNLINK, <i32>TEMPORARY, <i32>temporaryBytes, 0, 0, 0);
}

/** Saves; the argument of a child is 1. 0, or a negative errno. */
export function run(isBackground: i32): i32 {
  return rdbSave.run(<u32>TEMPORARY, temporaryBytes, <u32>PATH, pathBytes, isBackground != 0);
}

/** Saves now, on this vCPU; false when that failed. A child must not be saving. */
export function save(): bool {
  if (isSaving()) return false;
  prepare();
  const isGood = run(0) == 0;
  if (isGood) {
    saveCount++;
    keyspace.setDirty(0);
    lastSaveMs = clock.ms();
    judge(true);
  }
  return isGood;
}

/** Starts a child that saves; false when there is one, or when none can be had. */
export function startSave(): bool {
  if (isSaving()) return false;
  prepare();
  childDirty = keyspace.dirty();
  lastTryMs = clock.ms();
  childCopies = counter(COUNTER_COPIES);
  childKeys = 0;
  for (let i: u32 = 0; i < space.databases(); i++) childKeys += space.keyCount(i);
  childStartUs = clockUs();
  const id = spawn(<i32>run.index, 1);
  if (id < 0) {
    log.begin("Can't save in background: snapshot: error ");
    log.integer(-id);
    log.end(log.WARNING);
    judge(false);
    return false;
  }
  child = id;
  store<u32>(NUMBERS + ((<u32>id) << 2), tries - 1);
  keyspace.setChildActive(true);
  log.begin('Background saving started by snapshot ');
  log.integer(id);
  log.end(log.NOTICE);
  return true;
}

/** Keeps whether the last save was good; a bad one stops writes if the options say so. */
function judge(isGood: bool): void {
  hasSucceeded = isGood;
  refuse();
}

/** Refuses writes, or lets them in again, by the options and the last result. */
function refuse(): void {
  admission.refuseWrites(
    admission.DISK,
    !hasSucceeded &&
      savePoint.count() != 0 &&
      config.number(option.STOP_WRITES_ON_BGSAVE_ERROR) != 0,
  );
}

function endChild(): void {
  lastUs = clockUs() - childStartUs;
  lastCow = cowBytes();
  child = NO_CHILD;
  keyspace.setChildActive(false);
}

/** A child has ended with a result. */
function finish(result: i32): void {
  endChild();
  if (result == 0) {
    log.line(log.NOTICE, 'Background saving terminated with success');
    saveCount++;
    // A file that was loaded since the snapshot has left the keys clean.
    keyspace.setDirty(keyspace.dirty() - min(childDirty, keyspace.dirty()));
    lastSaveMs = clock.ms();
    return judge(true);
  }
  unlinkTemporary();
  if (result == -EINTR) return log.line(log.WARNING, 'Background saving terminated: killed');
  log.begin('Background saving error ');
  log.integer(-result);
  log.end(log.WARNING);
  judge(false);
}

/**
 * Ends a child that saves; what it has written is unlinked. It cannot replace a file that is saved later: its
 * rename finds no such name, and if it makes its file after the unlink, it stops before the rename.
 */
export function cancelSave(): void {
  if (!isSaving()) return;
  const id = child;
  log.line(log.NOTICE, 'There is a child saving an .rdb. Killing it!');
  killChild(id);
  countAtCancel = saveCount;
  dying |= 1 << id;
  endChild();
  unlinkTemporary();
}

/** Takes note of children that were told to stop and have ended. */
function reap(): void {
  for (let left = dying; left != 0; left &= left - 1) {
    const id = ctz(left);
    const result = childStatus(<i32>id);
    if (result == -EAGAIN) continue;
    dying &= ~(1 << id);
    // It may have made its file after cancelSave() had removed it.
    const bytes = putName(<u32>STOPPED, load<u32>(NUMBERS + (id << 2)));
    syscall(SYS_UNLINK, <i32>STOPPED, <i32>bytes, 0, 0, 0);
    // Its file was renamed before it stopped: that may have replaced a newer one.
    if (result == 0 && (savePoint.count() != 0 || saveCount != countAtCancel)) startSave();
  }
}

/**
 * VECTOR_CHILD. The event loop delivers it between commands; one that arrives within a command is left to the
 * next tick().
 */
function onChildEnd(vector: i32): void {
  if (isBusy || changetype<u32>(client.current()) != 0) return;
  noticeEnds();
}

let isBusy: bool = false;

/** True while code other than a command runs that no interrupt may disturb. */
export function setBusy(busy: bool): void {
  isBusy = busy;
}

function noticeEnds(): void {
  if (dying != 0) reap();
  if (!isSaving()) return;
  const result = childStatus(child);
  if (result != -EAGAIN) finish(result);
}

/** Ten times a second: the save points, and the end of a child that has not been noticed yet. */
export function tick(): void {
  const wasSaving = isSaving();
  noticeEnds();
  if (wasSaving || isSaving()) return;
  refuse();
  const sinceMs = clock.ms() - lastSaveMs;
  if (!hasSucceeded && clock.ms() - lastTryMs <= RETRY_MS) return;
  for (let i: u32 = 0; i < savePoint.count(); i++) {
    const seconds = <i64>savePoint.seconds(i);
    const changes = <u64>savePoint.changes(i);
    if (keyspace.dirty() < changes || sinceMs <= seconds * 1000) continue;
    log.begin('');
    log.integer(changes);
    log.ascii(' changes in ');
    log.integer(seconds);
    log.ascii(' seconds. Saving...');
    log.end(log.NOTICE);
    startSave();
    return;
  }
}

/** FLUSHALL: a child would save what is gone; with save points the empty databases are saved at once. */
export function afterFlushAll(): void {
  cancelSave();
  if (savePoint.count() == 0) return;
  save();
}
