// The memory of assembly/states, which compresses and checks the records of a state's stream. Portable:
// compiled by asc and by tsc.

export const STATE_RAW: u32 = 65536; // address: a record's content
export const STATE_RAW_BYTES: u32 = 1114112; // 1 MiB of pages, and the list of their runs
export const STATE_PACKED: u32 = 1245184; // address: the same compressed
export const STATE_PACKED_BYTES: u32 = 1114112;
export const STATE_TABLE: u32 = 2424832; // address: the compressor's table of positions, 64 KiB
export const STATE_MEMORY_PAGES: u32 = 38; // of 64 KiB
