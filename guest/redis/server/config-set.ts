// Options from the host's side: set before and while the server runs, and read after an event.

import * as ascii from '../bytes/ascii.ts';
import * as assign from '../config/assign.ts';
import * as command from '../command/command.ts';
import * as config from '../config/config.ts';
import * as option from '../config/option.ts';
import * as text from '../bytes/text.ts';
import * as value from '../config/option-value.ts';
import { EINVAL, ENOMEM } from '../../../assembly/abi/errno.ts';

/** Sets an option whatever its flags; on failure the reason is left in text.ts for failureAddress(). */
export function setOption(name: u32, nameBytes: u32, at: u32, bytes: u32): i32 {
  const found = config.find(name, nameBytes);
  text.begin();
  if (ascii.isWord(name, nameBytes, 'rename-command')) return renameCommand(at, bytes);
  if (found == config.NONE) {
    text.ascii('Bad directive or wrong number of arguments');
    return -EINVAL;
  }
  const row = config.at(found).original;
  if (!value.check(row, at, bytes)) {
    value.putFailure(row);
    return -EINVAL;
  }
  return assign.assign(row, at, bytes) ? 0 : -ENOMEM;
}

/** rename-command OLD NEW: NEW is empty where nothing is to call the command. */
function renameCommand(at: u32, bytes: u32): i32 {
  let blank: u32 = 0;
  while (blank < bytes && load<u8>(at + blank) != ascii.SPACE) blank++;
  const to = at + blank + 1;
  const toBytes = blank == bytes ? 0 : bytes - blank - 1;
  const row = command.find(at, blank);
  if (blank == bytes) text.ascii('Bad directive or wrong number of arguments');
  else if (row == 0 || command.containerOf(row) != 0)
    text.ascii('No such command in rename-command');
  else if (toBytes != 0 && command.find(to, toBytes) != 0)
    text.ascii('Target command name already exists');
  else if (command.rename(row, to, toBytes)) return 0;
  else text.ascii('too many renamed commands');
  return -EINVAL;
}

/**
 * The machine can serve this many clients at a time: lowers maxclients to that; what it was before, if it was
 * more, else 0.
 */
export function limitClients(most: u32): u32 {
  value.setClientsMost(<i64>most);
  const wanted = config.number(option.MAXCLIENTS);
  if (wanted <= <i64>most) return 0;
  assign.assignNumber(option.MAXCLIENTS, <i64>most);
  return <u32>wanted;
}

/**
 * Composes name, a zero byte, and the value in force; where it is. Valid until the next call into the guest.
 */
export function optionAddress(index: u32): u32 {
  text.begin();
  const row = config.at(index);
  text.bytes(row.name, row.nameBytes);
  text.byte(0);
  value.put(index);
  return text.address();
}

/** Bytes of what optionAddress() or a failed setOption() composed. */
export function composedBytes(): u32 {
  return text.length();
}

export function composedAddress(): u32 {
  return text.address();
}
