// The border to the host: the receive window, the reply block, flags and events.

import * as clientEvent from '../client/event.ts';
import * as heap from '../bytes/heap.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { EVENT_OPTION, EVENT_SHUTDOWN } from '../abi.ts';

const BLOCK: usize = memory.data(16, 8); // [reply address u32 | reply bytes u32 | window u32 | 0]
const NONE: u32 = 0xffffffff;

/** A bit per option that the host has to look at. */
const OPTIONS: usize = memory.data(32, 8);
const OPTION_WORDS: u32 = 8;

let window: u32 = 0;
let windowBytes: u32 = 0;
let exitCode: u32 = NONE;
let isOptionChanged: bool = false;
let listenAt: i32 = 0;
let listenPosted: bool = false;

/**
 * Takes the window that the host names. For address 0 the guest makes one, which a host without a VM may
 * write.
 */
export function boot(rxAddress: u32, rxBytes: u32): void {
  window = rxAddress == 0 ? heap.alloc(rxBytes) : rxAddress;
  windowBytes = rxBytes;
  store<u32>(BLOCK, window, 8);
}


@inline
export function rx(): u32 {
  return window;
}

export function rxBytes(): u32 {
  return windowBytes;
}

export function block(): u32 {
  return <u32>BLOCK;
}

/** Shows the reply to the host. */
export function publish(): void {
  if (CHECKED && !replyBlock.isSound()) broken('REPLY: the block and its free part do not add up');
  store<u32>(BLOCK, replyBlock.address());
  store<u32>(BLOCK, replyBlock.length(), 4);
}

/** Shows the host bytes outside the block, as a part of the reply. */
export function publishLoan(address: u32, bytes: u32): void {
  store<u32>(BLOCK, address);
  store<u32>(BLOCK, bytes, 4);
}

/** Asks the host to end the server. */
export function postShutdown(code: u32): void {
  exitCode = code;
}

/** Tells the host that an option has another value. */
export function postOption(index: u32): void {
  const word = OPTIONS + ((index >> 5) << 2);
  store<u32>(word, load<u32>(word) | (1 << (index & 31)));
  isOptionChanged = true;
}

/**
 * Asks the host to listen where the options say. The reply to that is at this place of the replies, or, for
 * -1, nowhere.
 */
export function postListen(replyAt: i32): void {
  listenAt = replyAt;
  listenPosted = true;
}


@inline
export function isListenPosted(): bool {
  return listenPosted;
}

/** What postListen() was given; once. */
export function takeListen(): i32 {
  listenPosted = false;
  return listenAt;
}


@inline
export function hasEvents(): bool {
  return clientEvent.isAny() || isOptionChanged || exitCode != NONE;
}

/** The next event, or 0. Each is handed out once, however often it was posted since. */
export function nextEvent(): u32 {
  if (isOptionChanged) {
    const index = nextOption();
    if (index != NONE) return (EVENT_OPTION << 24) | index;
    isOptionChanged = false;
  }
  if (clientEvent.isAny()) return clientEvent.next();
  if (exitCode == NONE) return 0;
  const event = (EVENT_SHUTDOWN << 24) | exitCode;
  exitCode = NONE;
  return event;
}

function nextOption(): u32 {
  for (let i: u32 = 0; i < OPTION_WORDS; i++) {
    const word = OPTIONS + (i << 2);
    const bits = load<u32>(word);
    if (bits == 0) continue;
    store<u32>(word, bits & (bits - 1));
    return (i << 5) + <u32>ctz(bits);
  }
  return NONE;
}
