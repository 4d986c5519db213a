// Records of commands: what COMMAND INFO and COMMAND DOCS add to a command's row.
//
// Format   One record per command or subcommand. Its first line is: name, version that brought it,
//          complexity. Then, by first character:  = summary | ? arguments | # flags of a key position, one
//          line each | ! tips | ~ flags of the document | < version that deprecated it, what to use instead.
//          Arguments are separated by blanks: name, a character for the type, marks, then (arguments) of its
//          own.
//            types  $ string  % integer  . double  @N key of position N  ~ pattern  ^ Unix time  ! a bare
//            token
//                   | one of its arguments  & all of its arguments
//            marks  ? optional  * repeated  + repeated with its token  #TOKEN  >since  <deprecated since
//          An empty line ends a table.
// Cost     find() reads up to 20,000 characters: microseconds, for commands that people and connecting
//          clients send.

import * as ascii from '../../bytes/ascii.ts';

const GROUPS_MAX: u32 = 24;
const GROUPS: usize = memory.data(192, 8); // GROUPS_MAX * [name u32 | table u32], static strings

const NEWLINE: u32 = 10;
const BLANK: u32 = 32;

let groups: u32 = 0;

/** Adds a table of records: the commands of a group, as COMMAND DOCS names it. */
export function add(name: string, table: string): void {
  if (groups == GROUPS_MAX) unreachable();
  store<u32>(GROUPS + (groups << 3), changetype<u32>(name));
  store<u32>(GROUPS + (groups << 3), changetype<u32>(table), 4);
  groups++;
}

function tableOf(group: u32): string {
  return changetype<string>(load<u32>(GROUPS + (group << 3), 4));
}

export function groupName(group: u32): string {
  return changetype<string>(load<u32>(GROUPS + (group << 3)));
}


@inline
export function unit(at: u32): u32 {
  return load<u16>(at);
}

/** The start of the line behind the one that `at` is in. */
function nextLine(at: u32): u32 {
  while (unit(at) != NEWLINE) at += 2;
  return at + 2;
}


@inline
export function isName(line: u32): bool {
  return unit(line) - ascii.LOWER_A < 26; // details start with punctuation
}

export function first(group: u32): u32 {
  return changetype<u32>(tableOf(group)) + 2;
}

export function end(group: u32): u32 {
  const table = tableOf(group);
  return changetype<u32>(table) + ((<u32>table.length) << 1);
}

/** The record behind this one, or the end of its table. */
export function next(record: u32, limit: u32): u32 {
  let at = nextLine(record);
  while (at < limit && !isName(at)) at = nextLine(at);
  return at;
}

/** How many units the name of a record has. */
export function nameUnits(record: u32): u32 {
  let at = record;
  while (unit(at) != BLANK) at += 2;
  return (at - record) >> 1;
}

function hasName(record: u32, name: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const c: u32 = load<u8>(name + i);
    if (ascii.lower(c) != unit(record + (i << 1))) return false;
  }
  return unit(record + (bytes << 1)) == BLANK;
}

let foundGroup: u32 = 0;

/** The group of the record that find() returned last. */
export function group(): u32 {
  return foundGroup;
}

/** The record of a command (get) or subcommand (config|get) in any case, or 0. */
export function find(name: u32, bytes: u32): u32 {
  for (let table: u32 = 0; table < groups; table++) {
    const limit = end(table);
    for (let at = first(table); at < limit; at = next(at, limit)) {
      if (!hasName(at, name, bytes)) continue;
      foundGroup = table;
      return at;
    }
  }
  return 0;
}

/** Whether `record` is a subcommand of the command at `parent`, whose name has `units` units. */
export function isSubcommandOf(record: u32, parent: u32, units: u32): bool {
  for (let i: u32 = 0; i < units; i++) {
    if (unit(record + (i << 1)) != unit(parent + (i << 1))) return false;
  }
  return unit(record + (units << 1)) == ascii.BAR;
}

/** The text of the first detail line with this mark, or 0. It ends at the line's end. */
export function detail(record: u32, mark: u32): u32 {
  let at = nextLine(record);
  for (; unit(at) != NEWLINE && !isName(at); at = nextLine(at)) if (unit(at) == mark) return at + 4;
  return 0;
}

/** The text of the next line with the same mark directly below the line that `at` is in, or 0. */
export function detailBelow(at: u32, mark: u32): u32 {
  const below = nextLine(at);
  return unit(below) == mark ? below + 4 : 0;
}

/** How many units of a word start at `at`. */
export function wordUnits(at: u32): u32 {
  let stop = at;
  while (unit(stop) != BLANK && unit(stop) != NEWLINE) stop += 2;
  return (stop - at) >> 1;
}

/** How many units are left on the line. */
export function lineUnits(at: u32): u32 {
  return (nextLine(at) - 2 - at) >> 1;
}

/** How many words are left on the line. */
export function wordCount(at: u32): u32 {
  let words: u32 = 1;
  for (; unit(at) != NEWLINE; at += 2) if (unit(at) == BLANK) words++;
  return words;
}

/** The second word of a line, which runs up to the line's end. */
export function secondWord(at: u32): u32 {
  return at + (wordUnits(at) << 1) + 2;
}

export function wordIs(at: u32, literal: string): bool {
  const units = <u32>literal.length;
  return wordUnits(at) == units && memory.compare(at, changetype<u32>(literal), units << 1) == 0;
}
