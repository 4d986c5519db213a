// MONITOR.

import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as monitor from '../run/monitor.ts';
import * as reply from '../wire/reply.ts';
import { ADMIN, LOADING, NOSCRIPT, STALE } from '../command/command.ts';

export function register(): void {
  command.define('monitor', join, 1, ADMIN | NOSCRIPT | LOADING | STALE, 0, 0, 0, 0);
}

/** A client that is a monitor already gets no reply, as in Redis. */
function join(): void {
  const self = client.current();
  if (self.flags & client.IN_EXEC)
    return reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  if (self.flags & client.MONITOR) return;
  reply.ok();
  monitor.join(self);
}
