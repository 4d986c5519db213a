// Where a client connects from, and what it may do: DEBUG and protected options for local ones, protected
// mode for others.

import * as client from '../client/client.ts';
import * as config from '../config/config.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import { Client } from '../client/client.ts';

/** Whether "address:port" is one of the loopback interface. */
export function isLoopback(at: u32, bytes: u32): bool {
  const isV4 = bytes >= 4 && load<u32>(at) == 0x2e373231; // 127.
  const isV6 = bytes >= 5 && load<u32>(at) == 0x313a3a5b && load<u8>(at + 4) == 93; // [::1]
  const isMapped =
    bytes >= 12 && load<u64>(at) == 0x3a666666663a3a5b && load<u32>(at + 8) == 0x2e373231; // [::ffff:127.
  return isV4 || isV6 || isMapped;
}

/** Whether an option that enables something enables it for the current client. */
export function isAllowed(enabling: u32): bool {
  const value = config.number(enabling);
  return (
    value == option.ENABLE_YES ||
    (value == option.ENABLE_LOCAL && (client.current().flags & client.LOCAL) != 0)
  );
}

/** Protected mode: without a password only local clients are let in. Replies if this one is not. */
export function isDenied(c: Client): bool {
  if (config.number(option.PROTECTED_MODE) == 0 || config.textBytes(option.REQUIREPASS) != 0)
    return false;
  if (c.flags & client.LOCAL) return false;
  reply.errorBegin('DENIED Redis is running in protected mode: it has no password,');
  reply.text(' so it takes only connections from this machine. Set requirepass,');
  reply.text(' or protected-mode no if the network around it can be trusted.');
  reply.errorEnd();
  return true;
}
