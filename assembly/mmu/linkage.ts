// What a linked guest has instead of a kernel of its own: the calls of the libdbos that runs beside it.
//
// Interface   attach(frames) first, on each vCPU, from the guest's own `attach` export: after it machine/
//             works in this instance as it does in the kernel. claimFrames() gives neighbouring frames for
//             good, allocFrame() and freeFrame() single ones; none is zeroed, but a claimed run was never
//             used and reads as zero.
// Cost        a call between instances, 2 to 4 ns.

import * as barrier from '../machine/barrier';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';

/** Address of this vCPU's block. */
@external('ringzero', 'vcpu')
declare const vcpuBlock: u32;

/** Address of `count` neighbouring frames, 0 when there is no room. */
@external('libdbos', 'claimFrames')
export declare function claimFrames(count: u32): u32;


@external('libdbos', 'allocFrame')
export declare function allocFrame(): u32;


@external('libdbos', 'freeFrame')
export declare function freeFrame(frame: u32): void;

/**
 * The only frames that the host may touch by itself. Once set it is for the VM's life, and can only be
 * narrowed: when that returns, nothing under way touches what has left it. 0; -EINVAL; -EPERM when it would
 * reach further; -EBUSY when it is narrowed, but a transfer of before does not end.
 */
@external('libdbos', 'setDmaWindow')
export declare function setDmaWindow(start: u32, end: u32): i32;

export function attach(frames: u32): void {
  map.attach(frames);
  vcpu.link(vcpuBlock);
  barrier.attach();
}
