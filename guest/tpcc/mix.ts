// The mix (5.2.3): which transaction is next, and how many there were.
//
// Interface   run() makes a number of them; counted() returns how many of a kind this vCPU has committed
//             since it attached.

import * as random from '../workload/random';
import * as delivery from './delivery';
import * as map from './memory-map';
import * as newOrder from './new-order';
import * as orderStatus from './order-status';
import * as payment from './payment';
import * as stockLevel from './stock-level';

export const NEW_ORDER: u32 = 0; // 45 %
export const PAYMENT: u32 = 1; // 43 %
const ORDER_STATUS: u32 = 2; // 4 %
const DELIVERY: u32 = 3; // 4 %
const STOCK_LEVEL: u32 = 4; // 4 %
export const ROLLED_BACK: u32 = 5; // new orders that named an unused item

function draw(): u32 {
  const drawn = random.below(100);
  if (drawn < 43) return PAYMENT;
  if (drawn < 47) return ORDER_STATUS;
  if (drawn < 51) return DELIVERY;
  return drawn < 55 ? STOCK_LEVEL : NEW_ORDER;
}

/** 0, 1 for a new order that was rolled back, or -errno. */
export function one(kind: u32, w: u32, warehouses: u32): i32 {
  switch (kind) {
    case NEW_ORDER:
      return newOrder.run(w, warehouses);
    case PAYMENT:
      return payment.run(w, warehouses);
    case ORDER_STATUS:
      return orderStatus.run(w);
    case DELIVERY:
      return delivery.run(w);
    default:
      return stockLevel.run(w);
  }
}

/** `count` transactions at warehouses drawn at random: 0, or the -errno of the one that failed. */
export function run(count: u32): i32 {
  const warehouses = load<u32>(map.WAREHOUSES);
  for (let i: u32 = 0; i < count; i++) {
    const kind = draw();
    const result = one(kind, random.between(1, warehouses), warehouses);
    if (result < 0) return result;
    add(result == newOrder.ROLLED_BACK ? ROLLED_BACK : kind);
  }
  return 0;
}

/** One transaction of a kind. */
export function only(kind: u32): i32 {
  const warehouses = load<u32>(map.WAREHOUSES);
  const result = one(kind, random.between(1, warehouses), warehouses);
  if (result >= 0) add(result == newOrder.ROLLED_BACK ? ROLLED_BACK : kind);
  return result;
}

function add(kind: u32): void {
  const at = map.counts + (kind << 3);
  store<u64>(at, load<u64>(at) + 1);
}

export function counted(kind: u32): u64 {
  return load<u64>(map.counts + (kind << 3));
}

export function clear(): void {
  memory.fill(map.counts, 0, 64);
}
