// How often the server's own tasks run: options hz and dynamic-hz.

import * as client from './client.ts';
import * as config from '../config/config.ts';
import * as option from '../config/option.ts';

const CLIENTS_PER_CALL: i64 = 200;

/** Calls of cron a second: hz, or with dynamic-hz more of them where there are many clients. */
export function hz(): i64 {
  let rate = config.number(option.HZ);
  if (config.number(option.DYNAMIC_HZ) == 0) return rate;
  while (<i64>client.count() / rate > CLIENTS_PER_CALL && rate < option.HZ_MAX) rate <<= 1;
  return min(rate, option.HZ_MAX);
}
