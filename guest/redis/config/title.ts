// The option proc-title-template: text with variables in braces.

import * as ascii from '../bytes/ascii.ts';
import * as config from './config.ts';
import * as option from './option.ts';

/** Whether a text is a template with known variables that leaves some text when they are filled in. */
export function isTemplate(at: u32, bytes: u32): bool {
  let hasText = false;
  for (let i: u32 = 0; i < bytes; i++) {
    const c: u32 = load<u8>(at + i);
    if (c != ascii.BRACE_OPEN || (i + 1 < bytes && load<u8>(at + i + 1) == ascii.BRACE_OPEN)) {
      if (c == ascii.BRACE_OPEN) i++;
      if (c != ascii.SPACE) hasText = true;
      continue;
    }
    const name = at + ++i;
    while (i < bytes && load<u8>(at + i) != ascii.BRACE_CLOSE) i++;
    const nameBytes = at + i - name;
    if (i == bytes || !isVariable(name, nameBytes)) return false;
    // The title and the mode are empty when a template is checked.
    if (ascii.isWord(name, nameBytes, 'unixsocket')) {
      if (config.textBytes(option.UNIXSOCKET) != 0) hasText = true;
    } else if (
      !ascii.isWord(name, nameBytes, 'title') &&
      !ascii.isWord(name, nameBytes, 'server-mode')
    ) {
      hasText = true;
    }
  }
  return hasText;
}

/** Variables are in lower case. */
function isVariable(at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) if (ascii.isUpper(load<u8>(at + i))) return false;
  return (
    ascii.isWord(at, bytes, 'title') ||
    ascii.isWord(at, bytes, 'listen-addr') ||
    ascii.isWord(at, bytes, 'server-mode') ||
    ascii.isWord(at, bytes, 'port') ||
    ascii.isWord(at, bytes, 'tls-port') ||
    ascii.isWord(at, bytes, 'config-file') ||
    ascii.isWord(at, bytes, 'unixsocket')
  );
}
