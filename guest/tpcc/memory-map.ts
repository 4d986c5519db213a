// Where TPC-C keeps what its vCPUs share, in guest memory after the store's own words (guest/kv), and the
// workspace of each vCPU, in frames.
//
//    4096  u32  warehouses                               4104  u64  time of the run, ms
//    4112  u32  C of NURand for last names at load, then for last names, customers and items in a run
//    4128  u32  tables of the check (check.ts), 0 = none yet
//    8192  VCPUS_MAX x u32 workspaces, 0 = none yet
//   65536  DISTRICT_LOCKS x 64 bytes: spin locks          131072  STOCK_LOCKS x u32: spin locks
//
//   workspace, 5 frames: key, record, text, lines of a new order, seen items of stock-level, counts of the
//   mix, permutation

import { linkage, vcpu } from '../../assembly/linked';

export const WAREHOUSES: u32 = 4096;
export const NOW: u32 = 4104;
export const C_LAST_LOAD: u32 = 4112;
export const C_LAST_RUN: u32 = 4116;
export const C_CUSTOMER: u32 = 4120;
export const C_ITEM: u32 = 4124;
export const CHECK_TABLES: u32 = 4128;
const WORKSPACES: u32 = 8192;
export const DISTRICT_LOCKS_AT: u32 = 65536;
export const STOCK_LOCKS_AT: u32 = 131072;

const WORKSPACE_FRAMES: u32 = 5;

export let key: u32 = 0; // 64 bytes
export let record: u32 = 0; // 1984 bytes
export let text: u32 = 0; // 1024 bytes
export let lines: u32 = 0; // 1024 bytes
export let seen: u32 = 0; // 4096 bytes
export let counts: u32 = 0; // 4096 bytes
export let permutation: u32 = 0; // 8192 bytes

/** False if no frame is free. */
export function attach(): bool {
  const at = WORKSPACES + (vcpu.index << 2);
  let workspace = load<u32>(at);
  if (workspace == 0) {
    workspace = linkage.claimFrames(WORKSPACE_FRAMES);
    if (workspace == 0) return false;
    store<u32>(at, workspace); // stays, for later vCPUs of this number
  }
  key = workspace;
  record = workspace + 64;
  text = workspace + 2048;
  lines = workspace + 3072;
  seen = workspace + 4096;
  counts = workspace + 8192;
  permutation = workspace + 12288;
  return true;
}
