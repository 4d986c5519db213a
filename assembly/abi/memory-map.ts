// The map of physical memory. Portable: compiled by asc and by tsc; all arithmetic is exact in both.
//
//   0                 guest: its data, stack and heap, up to the break
//   break             frames that were never used (they read as zero)
//   frame floor       frames handed out for copies, staging and windows
//   vmBlock           one frame: words shared by all vCPUs (vm-block.ts)
//   vcpuBlocks        VCPUS_MAX frames (vcpu-block.ts)
//   snapshotBlocks    SNAPSHOTS_MAX frames (snapshot-block.ts)
//   frameTags         8 bytes per frame: limbo link and end_epoch (snappy/limbo.ts)
//   snapshotTables    SNAPSHOTS_MAX flat page tables, 4 bytes per page (snappy/table.ts)
//   epochTable        1 byte per page: the 8-bit epoch of its last write; ends where memory ends
//
// The epoch table is last so that the check of an address beyond memory traps by itself. `frames` is the
// number of frames of the VM, a multiple of FRAMES_MIN. 4 GiB itself is 0 in 32 bits; no function here
// returns it.

export function epochTable(frames: u32): u32 {
  return frames * 4095;
}
export function snapshotTables(frames: u32): u32 {
  return frames * 3967; // 4095 - 32 * 4
}
export function frameTags(frames: u32): u32 {
  return frames * 3959; // 3967 - 8
}
export function snapshotBlocks(frames: u32): u32 {
  return frames * 3959 - 131072; // 32 frames
}
export function vcpuBlocks(frames: u32): u32 {
  return frames * 3959 - 393216; // 64 frames more
}
export function vmBlock(frames: u32): u32 {
  return frames * 3959 - 397312; // one frame more
}
