// The limits of the machine, one per line. Portable: compiled by asc and by tsc.

export const FRAME_BYTES: u32 = 4096; // one physical frame, one page, one unit of copy-on-write
export const FRAME_SHIFT: u32 = 12;
export const FRAMES_MIN: u32 = 4096; // 16 MiB: with fewer the kernel's tables are not whole frames
export const FRAMES_MAX: u32 = 1048576; // 4 GiB: the range of 32-bit addresses
export const WASM_PAGE_BYTES: u32 = 65536;
export const VCPUS_MAX: u32 = 64; // main and snapshot vCPUs together
export const SNAPSHOTS_MAX: u32 = 32; // active at once: one bit each in a 32-bit word
export const FRAME_BATCH: u32 = 64; // frames that move between a vCPU's list and the global list at once
export const VIEW_FIRST: u32 = 1; // smallest value of the 8-bit epoch; 0 = written long ago or never
export const VIEW_COUNT: u32 = 254; // 1..254, cyclic; 255 is the page lock of the write fault
export const PAGE_LOCKED: u32 = 255;
export const REGISTERS_MAX: u32 = 256; // mutable globals of a guest, 8 bytes each in a snapshot's descriptor
export const STAGING_BYTES: u32 = 65536; // per vCPU, for the data that system calls transfer
export const FILES_CHUNK_PAGES: u32 = 256; // pages by which file memory grows
export const FILES_NONE: u32 = 0xffffffff; // above every page: the VM has no files
export const TABLE_CHUNK_PAGES: u32 = 1024; // entries of a snapshot table that share one "used" flag
