// What the vCPUs of a store share in guest memory, and the workspace of each vCPU in frames.
//
//   1024  u32   the pool (assembly/tabby/area.ts)
//   1088  store block: words below, all atomic       1152  log block: words of the log (log.ts), under BATCH_LOCK
//   2048  TREES_MAX x u32 root pages                 2304  VCPUS_MAX x u32 workspaces, 0 = none yet
//   3072  VCPUS_MAX x i64 entries added, each by its vCPU
//
//   workspace: exchange window, then private pages of the vCPU
//
// Interface   attach() on each vCPU; then the registers below.

import { FRAME_BYTES, FRAME_SHIFT, VCPUS_MAX } from '../../assembly/abi/limits';
import { WINDOW_BYTES } from '../../assembly/abi/kv';
import { linkage, vcpu } from '../../assembly/linked';

export const POOL: u32 = 1024;
export const STATE: u32 = 1088; // u32, 0 closed, 1 open
export const BATCH: u32 = 1092; // u32, odd while a batch is applied
export const BATCH_LOCK: u32 = 1096; // u32, spin lock of a batch
export const STORAGE: u32 = 1100; // i32, descriptor of the file
export const GROUPS: u32 = 1104; // u32, allocation groups in use
export const GROUP_HINT: u32 = 1108; // u32, lowest group that may have free pages
export const GROUP_LOCK: u32 = 1112; // u32, spin lock: a group is being added
export const OVERFLOWS: u32 = 1116; // u32, number of overflow chains that leaves have dropped
export const SEQUENCE: u32 = 1120; // u64, of the superblock
export const ENTRIES: u32 = 1136; // i64, at open
export const HIGH: u32 = 1144; // u32, no page from this number on has ever been used
// u32, 1 = a thread that enters must test the store's state first (host/level/guest.ts)
export const GATE: u32 = 1148;

export const LOG: u32 = 1152; // i32, descriptor of the log plus 1, 0 = the store has none
export const LOG_STATE: u32 = 1156; // u32, 1 = a sync failed: nothing is promised from then on
export const LOG_SYNC_LOCK: u32 = 1160; // u32, spin lock of the vCPU that makes it durable
export const LOG_ID: u32 = 1168; // u64, the same in the superblock
export const LOG_GENERATION: u32 = 1176; // u64, counts restarts
export const LOG_SEED: u32 = 1184; // u64, of the checksums of new records
export const LOG_BASE: u32 = 1192; // u64, LSN of the generation's position 0
export const LOG_START: u32 = 1200; // u64, position of the buffer's first byte, a multiple of 4096
export const LOG_END: u32 = 1208; // u64, position after the last record
export const LOG_WRITTEN: u32 = 1216; // u64, after the last record in the file
export const LOG_DURABLE: u32 = 1224; // u64, LSN after the last durable record
export const LOG_CHECKPOINTS: u32 = 1232; // u64, number since the store was opened
export const LOG_MARKS: u32 = 1240; // u64, number of marks written, under LOG_SYNC_LOCK
export const LOG_GROUP: u32 = 1256; // u32, address of the open group record in the buffer, 0 = none
export const WORD: u32 = 1248; // u64, result of a system call: those cannot write kernel memory
export const TREES: u32 = 2048;
const WORKSPACES: u32 = 2304;
const ENTRY_DELTAS: u32 = 3072;

export const TREES_MAX: u32 = 64;

/** Word of a workspace's `pending` page, in a separate cache line: its vCPU is changing the store. */
const WRITING: u32 = 4032;

/**
 * Private pages: PAGE_NODE and PAGE_COPY are nodes, PAGE_KEYS has room for keys, PAGE_MANY for look-ups in
 * groups.
 */
const PAGES: u32 = 6;

/** This vCPU's exchange window, and its private pages. */
export let window: u32 = 0;
export let pageNode: u32 = 0;
export let pageCopy: u32 = 0;
export let keyA: u32 = 0;
export let keyB: u32 = 0;
export let pending: u32 = 0;
export let many: u32 = 0;
export let ahead: u32 = 0;
/** Address of the word that announces that this vCPU changes the store. */
export let writing: u32 = 0;

/** False if no frame is free. */
export function attach(): bool {
  const at = WORKSPACES + (vcpu.index << 2);
  let workspace = load<u32>(at);
  if (workspace == 0) {
    workspace = linkage.claimFrames((WINDOW_BYTES >> FRAME_SHIFT) + PAGES);
    if (workspace == 0) return false;
    atomic.store<u32>(at, workspace); // never freed: for later vCPUs with this number
  }
  window = workspace;
  pageNode = workspace + WINDOW_BYTES;
  pageCopy = pageNode + FRAME_BYTES;
  keyA = pageCopy + FRAME_BYTES;
  keyB = keyA + (FRAME_BYTES >> 1);
  pending = keyA + FRAME_BYTES;
  many = pending + FRAME_BYTES;
  ahead = many + FRAME_BYTES;
  writing = pending + WRITING;
  atomic.store<u32>(writing, 0);
  return true;
}

/** The same of any vCPU; 0 when it has no workspace. */
export function writingOf(index: u32): u32 {
  const workspace = atomic.load<u32>(WORKSPACES + (index << 2));
  return workspace == 0 ? 0 : workspace + WINDOW_BYTES + 3 * FRAME_BYTES + WRITING;
}

export function root(tree: u32): u32 {
  return load<u32>(TREES + (tree << 2));
}

export function addEntries(difference: i64): void {
  const word = ENTRY_DELTAS + (vcpu.index << 3);
  store<i64>(word, load<i64>(word) + difference);
}

export function entries(): i64 {
  let sum = load<i64>(ENTRIES);
  for (let i: u32 = 0; i < VCPUS_MAX; i++) sum += load<i64>(ENTRY_DELTAS + (i << 3));
  return sum;
}
