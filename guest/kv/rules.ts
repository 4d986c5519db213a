// The rules of one node (node.ts, NODE-1 and NODE-2). verify.ts checks every node of a store with them;
// checked builds check each node after a change.
//
// Interface   broken() returns 0, or which rule the node breaks. assertNode() ends the VM for a broken node,
//             in checked builds.
// Cost        broken() one comparison of keys per record; assertNode() nothing in release.

import {
  PANIC_NODE,
  PANIC_NODE_FENCE,
  PANIC_NODE_HEAD,
  PANIC_NODE_ORDER,
  PANIC_NODE_SPACE,
} from '../../assembly/abi/panic';
import { checked } from '../../assembly/linked';
import * as node from './node';

export const BAD_FENCE: i32 = PANIC_NODE_FENCE - PANIC_NODE;
const BAD_ORDER: i32 = PANIC_NODE_ORDER - PANIC_NODE;
const BAD_SPACE: i32 = PANIC_NODE_SPACE - PANIC_NODE;
const BAD_HEAD: i32 = PANIC_NODE_HEAD - PANIC_NODE;

/** 0, or which rule the node breaks. It must not change during the call. */
export function broken(at: u32): i32 {
  const records = <u32>load<u16>(at, node.COUNT);
  if (records > (node.PAGE_BYTES - node.SLOTS) / node.SLOT_BYTES) return BAD_SPACE;
  const isBounded = node.highBytes(at) != node.NO_FENCE;
  const prefix = node.prefixBytes(at);
  if (prefix > node.lowBytes(at) || (isBounded && prefix > node.highBytes(at))) return BAD_FENCE;
  let used = node.lowBytes(at) + (isBounded ? node.highBytes(at) : 0);
  // What the key before has after the prefix: of the first, the low fence.
  let before = node.lowAt(at) + prefix;
  let beforeBytes = node.lowBytes(at) - prefix;
  for (let i: u32 = 0; i < records; i++) {
    const key = node.recordAt(at, i) + node.keyOffset(at);
    const bytes = node.suffixBytes(at, i);
    used += node.recordBytes(at, i);
    if (load<u32>(node.slot(at, i)) != node.headOf(key, bytes)) return BAD_HEAD;
    const order = node.compare(before, beforeBytes, key, bytes);
    if (i == 0 ? order > 0 : order >= 0) return i == 0 ? BAD_FENCE : BAD_ORDER;
    before = key;
    beforeBytes = bytes;
  }
  if (isBounded && records != 0) {
    const high = node.highAt(at) + prefix;
    if (node.compare(before, beforeBytes, high, node.highBytes(at) - prefix) >= 0) return BAD_FENCE;
  }
  const heap = <u32>load<u16>(at, node.HEAP);
  if (heap < node.SLOTS + records * node.SLOT_BYTES) return BAD_SPACE;
  return used + load<u16>(at, node.GARBAGE) == node.PAGE_BYTES - heap ? 0 : BAD_SPACE;
}

/** After a change, before the node's pin is released. */
export function assertNode(at: u32): void {
  if (!checked.CHECKED) return;
  const rule = broken(at);
  if (rule != 0) checked.panic(PANIC_NODE + <u32>rule);
}
