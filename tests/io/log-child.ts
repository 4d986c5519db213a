// A process that appends to a log until it is killed, and reports each commit. Several records are in flight
// at any time.
//
//   node log-child.js DIRECTORY FIRST

import { writeSync } from 'node:fs';
import { createLogGuest, LOG_FILE } from './log-machine.ts';

const [directory, first] = process.argv.slice(2);
const guest = await createLogGuest(directory!);
if (guest.call('openLog', guest.open(LOG_FILE)) !== 0) process.exit(2);
const told: { lsn: bigint; sequence: number }[] = [];
for (let sequence = Number(first); ; sequence++) {
  const lsn = guest.append(1, sequence, 8 + ((sequence * 7919) % 9000));
  if (lsn === 0n) process.exit(3);
  guest.call('want', lsn);
  told.push({ lsn, sequence });
  if (guest.call('step') !== 0) process.exit(4);
  const durable = BigInt(guest.call('durable'));
  while (told.length > 0 && told[0]!.lsn <= durable) writeSync(1, `${told.shift()!.sequence}\n`);
}
