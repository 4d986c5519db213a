// Functions of users, which is an extension: UDF.LOAD makes a command of a WebAssembly module, and that
// command runs it.
//
// Interface   register() once, where functions are allowed. The rows of functions are the last ones of the
//             command table, in the order of their slots; a function's row stays when its module is replaced,
//             as queued transactions may hold it.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as command from '../command/command.ts';
import * as dispatch from '../run/dispatch.ts';
import * as reply from '../wire/reply.ts';
import * as strings from '../types/string/value.ts';
import { ACL_STRING, ADMIN, NO_MULTI, NOSCRIPT, READONLY, TIMED } from '../command/command.ts';
import { copy } from '../bytes/copy.ts';
import { ANSWER_BYTES, ANSWER_DOUBLE, ANSWER_ERROR, ANSWER_INTEGER, UDF_PART } from '../abi.ts';
import { UDF_MAX, udfAnswer, udfCall, udfLoad, udfPart } from '../border/host.ts';
import { stringOrReply } from '../types/string/commands.ts';

const NAME_MAX: u32 = 32;
const MODULE_MAX: u32 = 1048576;

/** Row number of the function in slot 0. */
let first: u32 = 0;
let functions: u32 = 0;

export function register(): void {
  command.define('udf.load', loadModule, 3, ADMIN | NOSCRIPT | NO_MULTI, 0, 0, 0, 0);
  first = command.count();
}

/** UDF.LOAD name module */
function loadModule(): void {
  const name = args.ptr(1);
  const nameBytes = args.len(1);
  if (!isName(name, nameBytes))
    return reply.error('ERR a function has a name of 1 to 32 letters, digits, dots and hyphens');
  if (args.len(2) > MODULE_MAX) return reply.error('ERR a module has at most 1 MiB');
  const known = command.find(name, nameBytes);
  if (known != 0 && command.indexOf(known) < first)
    return reply.error('ERR there is a command of that name');
  if (known == 0 && (functions == UDF_MAX || !command.hasRoom(nameBytes)))
    return reply.error('ERR too many functions');
  const slot = known == 0 ? functions : command.indexOf(known) - first;
  if (udfLoad(slot, args.ptr(2), args.len(2)) == ANSWER_ERROR) return replyError();
  if (known == 0) {
    command.defineNamed(name, nameBytes, run, 2, READONLY | TIMED, 1, 1, 1, ACL_STRING);
    functions++;
  }
  reply.ok();
}

/** Characters that the command table finds in any case. */
function isName(at: u32, bytes: u32): bool {
  if (bytes - 1 >= NAME_MAX) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    const c: u32 = load<u8>(at + i);
    const isLetter = (c | 32) - ascii.LOWER_A < 26;
    if (!isLetter && c - ascii.ZERO >= 10 && c != ascii.MINUS && c != ascii.DOT) return false;
  }
  return true;
}

/** NAME key */
function run(): void {
  const found = stringOrReply();
  if (found == 0) return;
  strings.read(found);
  const slot = command.indexOf(dispatch.row()) - first;
  const kind = udfCall(slot, strings.textAt, strings.textBytes);
  if (kind == ANSWER_INTEGER) reply.integer(<i64>udfAnswer());
  else if (kind == ANSWER_BYTES) replyBytes();
  else if (kind == ANSWER_DOUBLE) reply.double(udfPart(0), <u32>udfAnswer());
  else replyError();
}

function replyBytes(): void {
  const bytes = <u32>udfAnswer();
  const to = reply.bulkSpace(bytes);
  if (to == 0) return;
  for (let offset: u32 = 0; offset < bytes; offset += UDF_PART)
    copy(to + offset, udfPart(offset), min<u32>(bytes - offset, UDF_PART));
}

function replyError(): void {
  reply.errorBegin('ERR ');
  reply.plain(udfPart(0), <u32>udfAnswer());
  reply.errorEnd();
}
