// The slow log: the last commands that took longer than slowlog-log-slower-than.
//
// Format      A ring of ENTRIES_MAX addresses; slowlog-max-len says how many are kept. An entry is one block:
//             id u64, time u64 (Unix seconds), duration u64 (us), count u32, then three texts and `count`
//             arguments, each [bytes u32] [bytes...] padded to 4: client address, client name, arguments. At
//             most ARGUMENTS_MAX arguments of ARGUMENT_BYTES each are kept; what is left out is named in
//             their place.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as config from '../config/config.ts';
import * as heap from '../bytes/heap.ts';
import * as number from '../bytes/number.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import { isSecret } from './secret.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

const ENTRIES_MAX: u32 = 1024;
const ARGUMENTS_MAX: u32 = 32;
const ARGUMENT_BYTES: u32 = 128;
const HEAD_BYTES: u32 = 32;
const RING: usize = memory.data(4096, 8); // ENTRIES_MAX * 4

let newest: u32 = 0; // position of the next entry
let kept: u32 = 0;
let nextId: u64 = 0;

export function length(): u32 {
  return kept;
}

function capacity(): u32 {
  const wanted = config.number(option.SLOWLOG_MAX_LEN);
  return wanted > <i64>ENTRIES_MAX ? ENTRIES_MAX : <u32>wanted;
}

function slotOf(age: u32): usize {
  return RING + <usize>(((newest + ENTRIES_MAX - 1 - age) % ENTRIES_MAX) << 2);
}

function dropOldest(): void {
  const slot = slotOf(--kept);
  if (CHECKED && load<u32>(slot) == 0) broken('SLOWLOG: an entry is counted that was not kept');
  heap.free(load<u32>(slot), 0);
  if (CHECKED) store<u32>(slot, 0);
}

export function reset(): void {
  while (kept != 0) dropOldest();
}

/** Notes the command that has just run, if it took long enough. */
export function note(us: f64): void {
  const threshold = config.number(option.SLOWLOG_LOG_SLOWER_THAN);
  if (threshold < 0 || us < <f64>threshold) return;
  while (kept != 0 && kept >= capacity()) dropOldest();
  if (capacity() == 0) return;
  const entry = compose(us);
  if (entry == 0) return;
  store<u32>(RING + (newest << 2), entry);
  newest = (newest + 1) % ENTRIES_MAX;
  kept++;
}

function padded(bytes: u32): u32 {
  return 4 + ((bytes + 3) & ~3);
}

/** The longest text for what is left out of an argument: "... (4294967295 more bytes)". */
const MORE_BYTES: u32 = 40;

function compose(us: f64): u32 {
  const self = client.current();
  const count = min(args.count(), ARGUMENTS_MAX);
  let bytes =
    HEAD_BYTES + padded(client.textBytes(self.address)) + padded(client.textBytes(self.name));
  for (let i: u32 = 0; i < count; i++)
    bytes += padded(min(args.len(i), ARGUMENT_BYTES) + MORE_BYTES);
  const entry = heap.alloc(bytes);
  if (entry == 0) return 0;
  store<u64>(entry, nextId++);
  store<u64>(entry, <u64>(clock.ms() / 1000), 8);
  store<u64>(entry, <u64>us, 16);
  store<u32>(entry, count, 24);
  let at = putText(entry + HEAD_BYTES, self.address + 4, client.textBytes(self.address));
  at = putText(at, self.name + 4, client.textBytes(self.name));
  for (let i: u32 = 0; i < count; i++) at = putArgument(at, i, count);
  return entry;
}

function putText(at: u32, from: u32, bytes: u32): u32 {
  store<u32>(at, bytes);
  memory.copy(at + 4, from, bytes);
  return at + padded(bytes);
}

function putAscii(at: u32, literal: string): u32 {
  for (let i: u32 = 0; i < <u32>literal.length; i++) {
    store<u8>(at + i, load<u8>(changetype<u32>(literal) + (i << 1)));
  }
  return at + <u32>literal.length;
}

function putMore(at: u32, count: u32, what: string): u32 {
  const digits = putAscii(at, '... (');
  return putAscii(digits + number.format(digits, <i64>count), what);
}

/** Keeps one argument, or in its place how much is left out. */
function putArgument(at: u32, index: u32, count: u32): u32 {
  const bytes = args.len(index);
  let end = at + 4;
  if (index == ARGUMENTS_MAX - 1 && args.count() > count) {
    end = putMore(end, args.count() - count + 1, ' more arguments)');
  } else if (isSecret(index)) end = putAscii(end, '(redacted)');
  else {
    const first = min(bytes, ARGUMENT_BYTES);
    memory.copy(end, args.ptr(index), first);
    end += first;
    if (bytes > first) end = putMore(end, bytes - first, ' more bytes)');
  }
  store<u32>(at, end - at - 4);
  return at + padded(end - at - 4);
}

function putBulk(at: u32): u32 {
  reply.bulk(at + 4, load<u32>(at));
  return at + padded(load<u32>(at));
}

/** Replies with the newest entries. */
export function put(wanted: u32): void {
  const entries = min(wanted, kept);
  reply.array(entries);
  for (let age: u32 = 0; age < entries; age++) {
    const entry = load<u32>(slotOf(age));
    const count = load<u32>(entry, 24);
    const address = entry + HEAD_BYTES;
    const name = address + padded(load<u32>(address));
    reply.array(6);
    reply.integer(load<i64>(entry));
    reply.integer(load<i64>(entry, 8));
    reply.integer(load<i64>(entry, 16));
    reply.array(count);
    let at = name + padded(load<u32>(name));
    for (let i: u32 = 0; i < count; i++) at = putBulk(at);
    putBulk(address);
    putBulk(name);
  }
}
