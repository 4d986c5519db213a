// The file that the server was started with: its name, and CONFIG REWRITE, which the front end does.
//
// Format  What the front end is handed, for each option but aliases: kind u8, whether it has its default u8,
//         bytes of the name u16, bytes of the value u32, then both.

import * as assign from './assign.ts';
import * as config from './config.ts';
import * as heap from '../bytes/heap.ts';
import * as text from '../bytes/text.ts';
import * as value from './option-value.ts';
import { rewriteConfig } from '../border/host.ts';

const HEAD_BYTES: u32 = 8;

let path: u32 = 0;
let pathBytes: u32 = 0;

/** Keeps the name, which is whole. */
export function setPath(from: u32, bytes: u32): void {
  path = heap.duplicate(from, bytes);
  pathBytes = path == 0 ? 0 : bytes;
}

export function hasPath(): bool {
  return pathBytes != 0;
}

export function putPath(): void {
  text.bytes(path, pathBytes);
}

/** Writes the options in force to the file: 0, or a negative errno. */
export function rewrite(): i32 {
  text.begin();
  for (let row: u32 = 0; row < config.count(); row++) {
    const option = config.at(row);
    if (option.original != row) continue;
    const head = text.length();
    for (let i: u32 = 0; i < HEAD_BYTES; i++) text.byte(0);
    text.bytes(option.name, option.nameBytes);
    const start = text.length();
    value.put(row);
    const at = text.address() + head;
    store<u8>(at, option.kind);
    const shown = text.length() - start;
    store<u8>(at, assign.hasDefault(row, text.address() + start, shown) ? 1 : 0, 1);
    store<u16>(at, option.nameBytes, 2);
    store<u32>(at, shown, 4);
  }
  const result = rewriteConfig(text.address(), text.length());
  text.end();
  return result;
}
