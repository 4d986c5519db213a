// Tells listeners of each command that has run, with its arguments still in args: MONITOR. A log of commands
// and replicas would listen here, too.
//
// Interface   listen() and unlisten() a function `listener(row, database)`; dispatch.ts calls ran(). Commands
//             of a transaction precede their EXEC. What was refused did not run.

const LISTENERS_MAX: u32 = 4;
const LISTENERS: usize = memory.data(16, 8); // LISTENERS_MAX * u32: table index

let listeners: u32 = 0;


@inline
export function isHeard(): bool {
  return listeners != 0;
}

export function listen(listener: (row: u32, database: u32) => void): void {
  if (listeners == LISTENERS_MAX) unreachable();
  store<u32>(LISTENERS + (listeners++ << 2), <u32>listener.index);
}

export function unlisten(listener: (row: u32, database: u32) => void): void {
  for (let i: u32 = 0; i < listeners; i++) {
    if (load<u32>(LISTENERS + (i << 2)) != <u32>listener.index) continue;
    store<u32>(LISTENERS + (i << 2), load<u32>(LISTENERS + (--listeners << 2)));
    return;
  }
}

/** A command has run; the database is the one that is selected behind it. */
export function ran(row: u32, database: u32): void {
  for (let i: u32 = 0; i < listeners; i++)
    call_indirect<void>(load<u32>(LISTENERS + (i << 2)), row, database);
}
