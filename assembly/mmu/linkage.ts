// What a linked guest has in place of a kernel of its own: the calls of the libdbos in the same VM.
//
// Interface   attach(frames) first, on each vCPU, from the guest's own `attach` export: then machine/ works
//             in this instance as it does in the kernel. claimFrames() returns adjacent frames that are never
//             freed; allocFrame() and freeFrame() handle single ones. None is zeroed, but a claimed run was
//             never used before and reads as zero.
// Cost        a call between instances, 2 to 4 ns.

import * as barrier from '../machine/barrier';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';

/** Address of this vCPU's block. */
@external('ringzero', 'vcpu')
declare const vcpuBlock: u32;

/** Address of `count` adjacent frames, 0 without room. */
@external('libdbos', 'claimFrames')
export declare function claimFrames(count: u32): u32;


@external('libdbos', 'allocFrame')
export declare function allocFrame(): u32;


@external('libdbos', 'freeFrame')
export declare function freeFrame(frame: u32): void;

/**
 * Sets the only frames that the host may access on its own, for the life of the VM. The window can only be
 * narrowed: on return no transfer in progress touches a frame outside it. 0; -EINVAL; -EPERM if it would
 * extend further; -EBUSY if an earlier transfer does not finish.
 */
@external('libdbos', 'setDmaWindow')
export declare function setDmaWindow(start: u32, end: u32): i32;

export function attach(frames: u32): void {
  map.attach(frames);
  vcpu.link(vcpuBlock);
  barrier.attach();
}
