// Which arguments are passwords: the slow log shows them as (redacted), as redis-server does. Whatever shows
// commands asks here.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';

const NAMES = 'requirepass masterauth masteruser tls-key-file-pass tls-client-key-file-pass ';

/** Whether an argument of the command that runs must not be shown, right or wrong as it may be. */
export function isSecret(index: u32): bool {
  if (index == 0) return false;
  if (args.is(0, 'auth')) return true;
  if (args.is(0, 'hello')) return isHelloSecret(index);
  if (!args.is(0, 'config') || index < 3 || !(index & 1) || !args.is(1, 'set')) return false;
  return isSecretOption(index - 1);
}

/** HELLO [version [AUTH user password] [SETNAME name]] */
function isHelloSecret(index: u32): bool {
  for (let i: u32 = 2; i < index; i++) {
    if (args.is(i, 'auth')) {
      if (index - i <= 2) return true;
      i += 2;
    } else if (args.is(i, 'setname')) i++;
  }
  return false;
}

function isSecretOption(index: u32): bool {
  const names = changetype<u32>(NAMES);
  const bytes = args.len(index);
  let start: u32 = 0;
  for (let i: u32 = 0; i < <u32>NAMES.length; i++) {
    if (load<u16>(names + (i << 1)) != ascii.SPACE) continue;
    if (i - start == bytes && isName(args.ptr(index), names + (start << 1), bytes)) return true;
    start = i + 1;
  }
  return false;
}

function isName(at: u32, name: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    let c: u32 = load<u8>(at + i);
    if (c - ascii.UPPER_A < 26) c |= 32;
    if (c != load<u16>(name + (i << 1))) return false;
  }
  return true;
}
