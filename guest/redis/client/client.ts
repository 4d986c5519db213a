// Client records: one per connection, found by slot.
//
// Interface   current() is the client whose command runs. Other files read and write fields; strings in a
//             record are blocks [bytes u32][bytes...] or 0, replaced with setText().
// Invariants  CLIENT-1  A slot is reused after disconnect; the id never is.

import * as clock from '../border/clock.ts';
import * as heap from '../bytes/heap.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

// Flags, in Client.flags.
export const MULTI: u32 = 1; // between MULTI and EXEC
export const DIRTY_EXEC: u32 = 2; // a command could not be queued: EXEC fails
export const DIRTY_CAS: u32 = 4; // a watched key has changed: EXEC does nothing
export const CLOSE_AFTER_REPLY: u32 = 8;
export const AUTHENTICATED: u32 = 16;
export const NO_EVICT: u32 = 32;
export const UNIX_SOCKET: u32 = 64;
export const CLOSE_ASAP: u32 = 128; // drop it without sending what is left
export const IN_EXEC: u32 = 256; // the command that runs was queued
export const NO_TOUCH: u32 = 512;
export const REPLY_OFF: u32 = 1024; // CLIENT REPLY OFF
export const REPLY_SKIP: u32 = 2048; // no reply to the command that runs
export const REPLY_SKIP_NEXT: u32 = 4096; // CLIENT REPLY SKIP: none to the next one
export const ARGUMENT_LOST: u32 = 8192; // memory ran out for an argument of the next command
export const MONITOR: u32 = 32768; // it is shown every command (run/monitor.ts)
export const LOCAL: u32 = 16384; // it came over the loopback interface or a Unix socket

/** Output in a client's first buffer; the rest is a list of blocks, which limits count. */
export const FIRST_BYTES: u64 = 16384;


@unmanaged
@final
export class Client {
  id: u64;
  createdMs: i64;
  /** When its last input came. */
  activeMs: i64;
  slot: u32;
  flags: u32;
  /** 2 or 3. */
  protocol: u32;
  db: u32;
  /** Row of the last command (command.ts), 0 before the first. */
  lastCommand: u32;
  // Text blocks.
  name: u32;
  libName: u32;
  libVersion: u32;
  address: u32;
  localAddress: u32;
  // MULTI (transaction.ts).
  queueHead: u32;
  queueTail: u32;
  queueCount: u32;
  queueBytes: u32;
  queueText: u64; // bytes of the queued arguments alone
  // WATCH (watch.ts).
  watchHead: u32;
  // Input that is not yet a whole command (input.ts).
  input: u32;
  inputBytes: u32;
  inputRoom: u32;
  inputAt: u32;
  arguments: u32;
  argumentsRoom: u32;
  argumentsTotal: i32;
  argumentsRead: u32;
  largeHead: u32;
  largeBlock: u32;
  largeRead: u32;
  largeTotal: u32;
  /** Bytes of all large arguments. */
  largeBytes: u64;
  // A large string that is sent without a copy (session.ts).
  loanStep: u32;
  loan: u32;
  loanBytes: u32;
  // What was sent to it while it was not running (pending.ts).
  pendingHead: u32;
  pendingTail: u32;
  pendingBytes: u64;
  /** The next monitor (run/monitor.ts). */
  monitorNext: u32;
  // What the host keeps because the socket has not taken it (output.ts).
  outputBlocks: u32;
  output: u64;
  /** Since when it has been over the soft limit, 0 = it is not. */
  softSinceMs: i64;
  /**
   * What it counts for maxmemory-clients (client-memory.ts), and for the bound on strangers (stranger.ts).
   */
  countedBytes: u64;
  strangerBytes: u64;
  // Events that the host has not asked for yet (event.ts).
  events: u32;
  eventNext: u32;
  eventBefore: u32;
}

const SLOTS_FIRST: u32 = 1024;

let table: u32 = 0; // u32 per slot: record, or 0
let tableRoom: u32 = 0;
let lowFree: u32 = 0; // no slot below is free
let connected: u32 = 0;
let nextId: u64 = 1;
let running: u32 = 0;

export function boot(): void {
  table = heap.alloc(SLOTS_FIRST << 2);
  tableRoom = SLOTS_FIRST;
  memory.fill(table, 0, SLOTS_FIRST << 2);
}

/** The client whose command runs. */
@inline
export function current(): Client {
  return changetype<Client>(running);
}

export function setCurrent(record: u32): void {
  if (CHECKED && record != 0 && at(changetype<Client>(record).slot) != record)
    broken('CLIENT-1: a client runs that is not in its slot');
  running = record;
}

/** The record in a slot, or 0. */
@inline
export function at(slot: u32): u32 {
  return slot < tableRoom ? load<u32>(table + (slot << 2)) : 0;
}

/** Slots that may hold clients: 0 to slots() - 1. */
export function slots(): u32 {
  return tableRoom;
}

export function count(): u32 {
  return connected;
}

/** A new record in the lowest free slot, or 0 if out of memory. */
export function open(): u32 {
  let slot = lowFree;
  while (slot < tableRoom && load<u32>(table + (slot << 2)) != 0) slot++;
  if (slot == tableRoom && !growTable()) return 0;
  const record = heap.alloc(offsetof<Client>());
  if (record == 0) return 0;
  memory.fill(record, 0, offsetof<Client>());
  store<u32>(table + (slot << 2), record);
  lowFree = slot + 1;
  connected++;
  const c = changetype<Client>(record);
  c.id = nextId++;
  c.slot = slot;
  c.protocol = 2;
  c.createdMs = clock.ms();
  c.activeMs = clock.ms();
  return record;
}

function growTable(): bool {
  const moved = heap.alloc(tableRoom << 3);
  if (moved == 0) return false;
  memory.copy(moved, table, tableRoom << 2);
  memory.fill(moved + (tableRoom << 2), 0, tableRoom << 2);
  heap.free(table, tableRoom << 2);
  table = moved;
  tableRoom <<= 1;
  return true;
}

/** Frees a record and its texts; transaction, watches, input and output are released before. */
export function close(record: u32): void {
  const c = changetype<Client>(record);
  if (CHECKED && (at(c.slot) != record || connected == 0))
    broken('CLIENT-1: a client ends that is not in its slot');
  if (CHECKED && (c.pendingHead | c.watchHead | c.queueHead | c.input | c.events) != 0)
    broken('CLIENT: a record is freed that still owns something');
  store<u32>(table + (c.slot << 2), 0);
  if (c.slot < lowFree) lowFree = c.slot;
  connected--;
  freeText(c.name);
  freeText(c.libName);
  freeText(c.libVersion);
  freeText(c.address);
  freeText(c.localAddress);
  heap.free(record, offsetof<Client>());
}

export function freeText(block: u32): void {
  if (block != 0) heap.free(block, 0);
}

/** A text block of these bytes; 0 when empty, and if out of memory. */
export function newText(from: u32, bytes: u32): u32 {
  if (bytes == 0) return 0;
  const block = heap.alloc(bytes + 4);
  if (block == 0) return 0;
  store<u32>(block, bytes);
  memory.copy(block + 4, from, bytes);
  return block;
}


@inline
export function textBytes(block: u32): u32 {
  return block == 0 ? 0 : load<u32>(block);
}
