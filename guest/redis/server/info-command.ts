// INFO [section ...]

import * as args from '../wire/args.ts';
import * as command from '../command/command.ts';
import * as info from './info.ts';
import * as reply from '../wire/reply.ts';
import * as section from './info-section.ts';
import * as text from '../bytes/text.ts';
import { ACL_DANGEROUS, LOADING, STALE } from '../command/command.ts';

export function register(): void {
  command.define('info', show, -1, LOADING | STALE, 0, 0, 0, ACL_DANGEROUS);
}

function show(): void {
  let wanted: u32 = args.count() == 1 ? section.BY_DEFAULT : 0;
  for (let i: u32 = 1; i < args.count(); i++) wanted |= section.wished(args.ptr(i), args.len(i));
  text.begin();
  info.put(wanted);
  reply.verbatim(text.address(), text.length());
  text.end();
}
