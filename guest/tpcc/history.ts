// Rows of HISTORY: each vCPU numbers its own rows, so that they are appended to a range of its own.

import * as scan from '../kv/scan';
import { ENOENT } from '../../assembly/abi/errno';
import { copyBytes } from '../kv/bytes';
import { vcpu } from '../../assembly/linked';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

let next: u32 = 0;

/** Continues after the last vCPU of this number: 0 or -errno. */
export function attach(): i32 {
  const result = table.seek(record.HISTORY, table.ofHistory(vcpu.index, 0xffffffff), true);
  next = 0;
  if (result == 0 && table.part(scan.key, 0, 2) == vcpu.index)
    next = table.part(scan.key, 2, 4) + 1;
  return result == -ENOENT ? 0 : result;
}

/**
 * A payment of customer (cw, cd, c) in district (w, d). `data` is a text of a record; uses the record buffer.
 */
export function add(cw: u32, cd: u32, c: u32, w: u32, d: u32, amount: i64, data: u32): i32 {
  const at = map.text + 512;
  store<i64>(at, load<i64>(map.NOW), record.H_DATE);
  store<i64>(at, amount, record.H_AMOUNT);
  store<u16>(at, <u16>cw, record.H_C_W);
  store<u16>(at, <u16>c, record.H_C);
  store<u8>(at, <u8>cd, record.H_C_D);
  store<u8>(at, <u8>d, record.H_D);
  store<u16>(at, <u16>w, record.H_W);
  copyBytes(at + record.H_DATA, data, 25);
  return table.insert(record.HISTORY, table.ofHistory(vcpu.index, next++), at, record.H_BYTES);
}
