// Customers by number or by last name (2.5.2.2, 2.6.2.2).

import * as random from '../workload/random';
import * as scan from '../kv/scan';
import { ENOENT } from '../../assembly/abi/errno';
import { copyBytes } from '../kv/bytes';
import * as input from './input';
import * as map from './memory-map';
import * as record from './record';
import * as table from './table';

/** More customers than this with one name are ignored: 3000 customers share 1000 names unevenly. */
const NAMESAKES_MAX: u32 = 1024;

/** A customer of the district, by last name in six cases of ten: its number, or -errno. */
export function any(w: u32, d: u32): i32 {
  return random.below(100) < 60 ? byLastName(w, d, input.lastNameInRun()) : <i32>input.customer();
}

/** The one in the middle, by first name, of those with the last name. */
function byLastName(w: u32, d: u32, name: u32): i32 {
  const bytes = input.lastName(map.text, name);
  const prefixBytes = table.ofLastName(w, d, map.text, bytes);
  copyBytes(map.text + 32, map.key, prefixBytes);
  const numbers = map.seen; // u16 each
  let count: u32 = 0;
  let result = table.seek(record.CUSTOMER_NAME, prefixBytes);
  while (result == 0 && isNamed(prefixBytes) && count < NAMESAKES_MAX) {
    store<u16>(numbers + (count << 1), <u16>table.part(scan.key, scan.keyBytes - 2, 2));
    count += 1;
    if (!scan.next()) result = scan.failure != 0 ? -scan.failure : -ENOENT;
  }
  if (result < 0 && result != -ENOENT) return result;
  return count == 0 ? -ENOENT : <i32>load<u16>(numbers + (((count - 1) >> 1) << 1));
}

function isNamed(prefixBytes: u32): bool {
  if (scan.keyBytes < prefixBytes) return false;
  for (let i: u32 = 0; i < prefixBytes; i++)
    if (load<u8>(scan.key + i) != load<u8>(map.text + 32 + i)) return false;
  return true;
}
