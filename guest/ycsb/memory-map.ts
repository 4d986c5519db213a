// Where YCSB keeps what its vCPUs share, in guest memory after the store's own words (guest/kv), and the
// workspace of each vCPU, in frames.
//
//   4096  u32  keys: all numbers below it exist        4160  VCPUS_MAX x u32 workspaces, 0 = none yet
//
//   workspace, 4 frames: key, value, then the keys of a group and their values

import { linkage, vcpu } from '../../assembly/linked';

export const KEYS: u32 = 4096;
const WORKSPACES: u32 = 4160;
const WORKSPACE_FRAMES: u32 = 4;

export let key: u32 = 0;
export let value: u32 = 0;
export let groupKeys: u32 = 0; // 64 x 8 bytes
export let groupValues: u32 = 0; // 64 x 128 bytes

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
  value = workspace + 128;
  groupKeys = workspace + 1024;
  groupValues = workspace + 4096;
  return true;
}
