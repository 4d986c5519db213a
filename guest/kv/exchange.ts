// Lists of keys and entries in the exchange window: groups of look-ups, pieces of a scan, range deletes.
//
// Interface   Called with input in the window, in the format of abi/kv.ts and index.ts; all lengths in it are
//             checked.

import {
  SCAN_ASCII,
  SCAN_AT,
  SCAN_DATA,
  SCAN_ENDED,
  SCAN_HAS_HIGH,
  SCAN_HAS_LOW,
  SCAN_HIGH_OPEN,
  SCAN_LOW_OPEN,
  SCAN_MAX,
  SCAN_NO_VALUES,
  SCAN_REVERSE,
  VALUE_ELSEWHERE,
  WINDOW_BYTES,
} from '../../assembly/abi/kv';
import { EINVAL, ENOENT } from '../../assembly/abi/errno';
import { pool } from '../../assembly/linked';
import { copyWide, isAscii } from './bytes';
import * as change from './change';
import * as many from './many';
import * as map from './memory-map';
import * as node from './node';
import * as readAhead from './read-ahead';
import * as scanner from './scan';
import * as tree from './tree';


@inline
function aligned(bytes: u32): u32 {
  return (bytes + 3) & ~3;
}

// --- groups of look-ups ------------------------------------------------------------------------------------

/** A longer value is read separately. */
const VALUE_MAX: u32 = 16384;

/**
 * In: `count` x (u32 keyBytes, key, padded to 4). Out, from `bytes` on: per key i32 length or -errno or
 * VALUE_ELSEWHERE | length, then the value, padded to 4. Returns the number of keys for which there was room.
 */
export function getMany(root: u32, count: u32, bytes: u32): i32 {
  const end = map.window + WINDOW_BYTES;
  if (bytes > WINDOW_BYTES - VALUE_MAX - 4) return -EINVAL;
  const inputEnd = map.window + bytes;
  let out = map.window + aligned(bytes);
  let at = map.window;
  let done: u32 = 0;
  while (done < count) {
    const group = min<u32>(count - done, many.MANY_MAX);
    many.clear();
    for (let i: u32 = 0; i < group; i++) {
      if (inputEnd - at < 4 || load<u32>(at) > inputEnd - at - 4) return -EINVAL;
      many.add(at + 4, load<u32>(at));
      at += aligned(4 + load<u32>(at));
    }
    pool.begin();
    many.run(root);
    let i: u32 = 0;
    while (i < group && end - out >= VALUE_MAX + 4) {
      const length = value(root, i, out + 4, VALUE_MAX);
      store<i32>(out, length <= <i32>VALUE_MAX ? length : length | VALUE_ELSEWHERE);
      out += 4 + (length > 0 && length <= <i32>VALUE_MAX ? aligned(length) : 0);
      i += 1;
    }
    pool.end();
    done += i;
    if (i < group) break;
  }
  return done;
}

/** Completes look-up i of the group: from where it is, or from the start. */
function value(root: u32, i: u32, out: u32, outMax: u32): i32 {
  if (many.isFound(i)) {
    if (many.index == many.NONE) {
      if (pool.isUnchanged(many.leaf, many.header)) return -ENOENT;
    } else {
      const length = tree.copyValue(many.leaf, many.page, many.header, many.index, out, outMax, 0);
      if (length >= 0) return length;
    }
  }
  const length = tree.lookup(root, many.keyOf(i), many.bytesOf(i), out, outMax);
  pool.begin(); // invalidates the others of the group, which will notice
  return length;
}

// --- ranges ------------------------------------------------------------------------------------------------

let lowAt: u32 = 0;
let lowBytes: u32 = 0;
let highAt: u32 = 0;
let highBytes: u32 = 0;

/** Bounds: u32 lowBytes, low, padded to 4, u32 highBytes, high. False when they are not within `bytes`. */
function readBounds(bytes: u32): bool {
  if (bytes < 8 || bytes > SCAN_AT) return false;
  lowAt = map.window + 4;
  lowBytes = load<u32>(map.window);
  if (lowBytes > bytes - 8) return false;
  const second = aligned(4 + lowBytes);
  if (second + 4 > bytes) return false;
  highAt = map.window + second + 4;
  highBytes = load<u32>(map.window + second);
  return highBytes <= bytes - second - 4;
}

/** Starts the scan that the flags ask for. */
function start(root: u32, flags: u32): bool {
  const isReverse = (flags & SCAN_REVERSE) != 0;
  if (isReverse) {
    const bytes = flags & SCAN_HAS_HIGH ? highBytes : node.NO_FENCE;
    return scanner.first(root, highAt, bytes, (flags & SCAN_HIGH_OPEN) != 0, true);
  }
  const bytes = flags & SCAN_HAS_LOW ? lowBytes : node.NO_FENCE;
  return scanner.first(root, lowAt, bytes, (flags & SCAN_LOW_OPEN) != 0, false);
}

/** Whether the scan's current key is within the far bound. */
@inline
function isWithin(flags: u32, key: u32, keyBytes: u32): bool {
  return (flags & (flags & SCAN_REVERSE ? SCAN_HAS_LOW : SCAN_HAS_HIGH)) == 0
    ? true
    : isWithinBound(flags, key, keyBytes);
}

function isWithinBound(flags: u32, key: u32, keyBytes: u32): bool {
  if (flags & SCAN_REVERSE) {
    const order = node.compare(key, keyBytes, lowAt, lowBytes);
    return order > 0 || (order == 0 && (flags & SCAN_LOW_OPEN) == 0);
  }
  const order = node.compare(key, keyBytes, highAt, highBytes);
  return order < 0 || (order == 0 && (flags & SCAN_HIGH_OPEN) == 0);
}

/** Copies write at most this many bytes too far. */
const SLACK: u32 = 16;

/**
 * From SCAN_AT u32 keyBytes, u32 valueBytes of each entry; from SCAN_DATA key, value, key, value, without
 * gaps. Returns the number of entries, SCAN_ENDED at the end of the range, and SCAN_ASCII.
 */
export function scan(root: u32, bytes: u32, flags: u32, limit: u32): i32 {
  readAhead.start();
  const found = copyEntries(root, bytes, flags, limit);
  readAhead.stop();
  return found;
}

function copyEntries(root: u32, bytes: u32, flags: u32, limit: u32): i32 {
  if (!readBounds(bytes)) return -EINVAL;
  const most = min<u32>(limit, SCAN_MAX);
  const data = map.window + SCAN_DATA;
  const end = map.window + WINDOW_BYTES - SLACK;
  let out = data;
  let found: u32 = 0;
  let ended: u32 = 0;
  if (!start(root, flags)) return -scanner.failure;
  while (found < most) {
    if (!scanner.step()) {
      if (scanner.failure == 0) ended = SCAN_ENDED;
      else if (found == 0) return -scanner.failure;
      break;
    }
    const keyBytes = scanner.keyBytes;
    const inline: u32 = scanner.isChain || flags & SCAN_NO_VALUES ? 0 : scanner.valueBytes;
    if (end - out < keyBytes + inline) break;
    scanner.copyKey(out);
    if (!isWithin(flags, out, keyBytes)) {
      ended = SCAN_ENDED;
      break;
    }
    copyWide(out + keyBytes, scanner.value, inline);
    const lengths = map.window + SCAN_AT + (found << 3);
    const isElsewhere = scanner.isChain && (flags & SCAN_NO_VALUES) == 0;
    store<u32>(lengths, keyBytes);
    store<u32>(lengths, isElsewhere ? scanner.valueBytes | VALUE_ELSEWHERE : inline, 4);
    out += keyBytes + inline;
    found += 1;
  }
  return found | ended | (isAscii(data, out) ? SCAN_ASCII : 0);
}

/** Keys that one look at the tree found for removal; they wait in the window. */
const CLEAR_AT_ONCE: u32 = 512;

export function clear(root: u32, bytes: u32, flags: u32): i32 {
  const wanted = (flags & ~SCAN_REVERSE) | SCAN_NO_VALUES;
  const found = scan(root, bytes, wanted, CLEAR_AT_ONCE);
  if (found < 0) return found;
  const count = <u32>(found & ~(SCAN_ENDED | SCAN_ASCII));
  let at = map.window + SCAN_DATA;
  for (let i: u32 = 0; i < count; i++) {
    const key = load<u32>(map.window + SCAN_AT + (i << 3));
    const result = change.remove(at, key);
    if (result < 0 && result != -ENOENT) return result;
    at += key;
  }
  return (<i32>count) | (found & SCAN_ENDED);
}
