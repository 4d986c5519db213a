// Keys of the tables, and operations on their trees.
//
// Interface   The key functions put a key into this vCPU's key buffer, `map.key`, and return its length: the
//             look-up or change that follows uses it. Results of the others are those of guest/kv/tree.ts.

import * as scan from '../kv/scan';
import * as storeMap from '../kv/memory-map';
import * as tree from '../kv/tree';
import { ENOENT } from '../../assembly/abi/errno';
import { copyBytes } from '../kv/bytes';
import * as map from './memory-map';


@inline
function put(value: u64, bytes: u32): u32 {
  store<u64>(map.key, bswap<u64>(value << (64 - (bytes << 3))));
  return bytes;
}


@inline
export function ofWarehouse(w: u32): u32 {
  return put(w, 2);
}


@inline
export function ofDistrict(w: u32, d: u32): u32 {
  return put((w << 8) | d, 3);
}


@inline
export function ofCustomer(w: u32, d: u32, c: u32): u32 {
  return put(((<u64>((w << 8) | d)) << 16) | c, 5);
}

/** Key of an order and of a new order. */
@inline
export function ofOrder(w: u32, d: u32, o: u32): u32 {
  return put(((<u64>((w << 8) | d)) << 32) | o, 7);
}


@inline
export function ofLine(w: u32, d: u32, o: u32, number: u32): u32 {
  return put(((((<u64>((w << 8) | d)) << 32) | o) << 8) | number, 8);
}

export function ofCustomerOrder(w: u32, d: u32, c: u32, o: u32): u32 {
  put(((((<u64>((w << 8) | d)) << 16) | c) << 24) | (o >> 8), 8);
  store<u8>(map.key, <u8>o, 8);
  return 9;
}


@inline
export function ofItem(i: u32): u32 {
  return put(i, 4);
}


@inline
export function ofStock(w: u32, i: u32): u32 {
  return put(((<u64>w) << 32) | i, 6);
}


@inline
export function ofHistory(vcpu: u32, number: u32): u32 {
  return put(((<u64>vcpu) << 32) | number, 6);
}

/** The common prefix of all keys of customers with this last name. */
export function ofLastName(w: u32, d: u32, last: u32, lastBytes: u32): u32 {
  ofDistrict(w, d);
  copyBytes(map.key + 3, last, lastBytes);
  store<u8>(map.key + 3 + lastBytes, 0);
  return 4 + lastBytes;
}

/** Completes the key after ofLastName(), which returned `bytes`. */
export function addFirstName(bytes: u32, first: u32, firstBytes: u32, c: u32): u32 {
  const at = map.key + bytes;
  copyBytes(at, first, firstBytes);
  store<u8>(at + firstBytes, 0);
  store<u16>(at + firstBytes, bswap<u16>(<u16>c), 1);
  return bytes + firstBytes + 3;
}

/** The number in bytes [from, from + bytes) of a key. */
@inline
export function part(key: u32, from: u32, bytes: u32): u32 {
  return <u32>(bswap<u64>(load<u64>(key + from)) >> (64 - (bytes << 3)));
}

/** Copies the first `outMax` bytes of a record. */
@inline
export function read(which: u32, keyBytes: u32, out: u32, outMax: u32): i32 {
  return tree.lookup(storeMap.root(which), map.key, keyBytes, out, outMax);
}


@inline
export function insert(which: u32, keyBytes: u32, from: u32, bytes: u32): i32 {
  return tree.put(storeMap.root(which), map.key, keyBytes, from, bytes, tree.PUT_NEW);
}


@inline
export function remove(which: u32, keyBytes: u32): i32 {
  return tree.remove(storeMap.root(which), map.key, keyBytes);
}

/** Address of a record whose leaf is pinned until tree.unlockValue(); 0 with an errno in tree.lockFailure. */
@inline
export function lock(which: u32, keyBytes: u32): u32 {
  return tree.lockValue(storeMap.root(which), map.key, keyBytes);
}

/**
 * Starts a scan at the key, upwards or downwards: -ENOENT if it is empty, else scan.* has the first record.
 */
export function seek(which: u32, keyBytes: u32, isReverse: bool = false): i32 {
  const root = storeMap.root(which);
  if (scan.first(root, map.key, keyBytes, false, isReverse) && scan.next()) return 0;
  return scan.failure != 0 ? -scan.failure : -ENOENT;
}
