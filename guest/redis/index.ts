// The Redis guest: what the host calls. One vCPU runs all of this.

import * as io from './io.ts';
import * as client from './client.ts';
import * as clock from './clock.ts';
import * as command from './command.ts';
import * as config from './config.ts';
import * as dispatch from './dispatch.ts';
import * as keyspace from './keyspace.ts';
import * as option from './option.ts';
import * as reply from './reply.ts';
import { slab } from '../../assembly/index.ts';

export function init(rxAddress: i32, rxBytes: i32, databases: i32, nowMs: f64): i32 {
  slab.boot();
  io.boot(rxAddress, rxBytes);
  reply.boot();
  config.boot();
  client.boot();
  keyspace.boot(databases);
  dispatch.execute();
  return 0;
}
export function ioBlock(): i32 {
  return io.block();
}
export function nextEvent(): i32 {
  return io.nextEvent();
}
