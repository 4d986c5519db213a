// One command as COMMAND INFO and COMMAND DOCS show it: its row and its record together.

import * as argument from './argument.ts';
import * as command from '../command.ts';
import * as names from '../names.ts';
import * as record from './record.ts';
import * as reply from '../../wire/reply.ts';
import * as units from './units.ts';

const SUMMARY: u32 = 61;
const ARGUMENTS: u32 = 63;
const KEYS: u32 = 35;
const TIPS: u32 = 33;
const DOCUMENT_FLAGS: u32 = 126;
const DEPRECATED: u32 = 60;

const STATUS: usize = memory.data(64, 8);

function putStatus(at: u32, length: u32): void {
  reply.text('+');
  for (let i: u32 = 0; i < length; i++) store<u8>(STATUS + i, <u8>load<u16>(at + (i << 1)));
  reply.raw(<u32>STATUS, length);
  reply.crlf();
}

/** Writes the set of the flags' names. */
function putFlags(flags: u32): void {
  const shown = flags & ((1 << names.FLAG_COUNT) - 1);
  reply.set(<u32>popcnt(shown));
  for (let rest = shown; rest != 0; rest &= rest - 1) reply.status(names.ofFlag(rest & -rest));
}

/** Writes the set of the categories' names. */
function putCategories(categories: u32): void {
  reply.set(<u32>popcnt(categories));
  for (let rest = categories; rest != 0; rest &= rest - 1) {
    reply.text('+@');
    reply.text(names.ofCategory(rest & -rest));
    reply.crlf();
  }
}

/** Writes the words of a line as a set of statuses. */
export function putLineSet(line: u32): void {
  const words = record.wordCount(line);
  reply.set(words);
  let at = line;
  for (let i: u32 = 0; i < words; i++) {
    putStatus(at, record.wordUnits(at));
    at = record.secondWord(at);
  }
}

function putTips(notes: u32): void {
  const line = notes == 0 ? 0 : record.detail(notes, TIPS);
  const words: u32 = line == 0 ? 0 : record.wordCount(line);
  reply.set(words);
  let at = line;
  for (let i: u32 = 0; i < words; i++) {
    units.bulk(at, record.wordUnits(at));
    at = record.secondWord(at);
  }
}

/** One position of keys: where it begins and ends. */
function putKeySpec(line: u32, index: i32, last: i32, step: i32): void {
  reply.map(3);
  reply.bulkText('flags');
  putLineSet(line);
  reply.bulkText('begin_search');
  reply.map(2);
  reply.bulkText('type');
  reply.bulkText('index');
  reply.bulkText('spec');
  reply.map(1);
  reply.bulkText('index');
  reply.integer(<i64>index);
  reply.bulkText('find_keys');
  reply.map(2);
  reply.bulkText('type');
  reply.bulkText('range');
  reply.bulkText('spec');
  reply.map(3);
  reply.bulkText('lastkey');
  reply.integer(<i64>last);
  reply.bulkText('keystep');
  reply.integer(<i64>step);
  reply.bulkText('limit');
  reply.integer(0);
}

export function keySpecs(notes: u32): u32 {
  let specs: u32 = 0;
  let line = notes == 0 ? 0 : record.detail(notes, KEYS);
  for (; line != 0; line = record.detailBelow(line, KEYS)) specs++;
  return specs;
}

/** The line of the flags of key position `index`. */
export function keyFlags(notes: u32, index: u32): u32 {
  let line = record.detail(notes, KEYS);
  for (; index > 0 && line != 0; index--) line = record.detailBelow(line, KEYS);
  return line;
}

function putKeySpecs(row: u32, notes: u32): void {
  const specs = keySpecs(notes);
  reply.set(specs);
  if (specs == 0) return;
  const first = command.firstKey(row);
  const last = command.lastKey(row);
  if (specs == 1) {
    putKeySpec(keyFlags(notes, 0), first, last < 0 ? last : last - first, command.keyStep(row));
    return;
  }
  for (let i: u32 = 0; i < specs; i++) putKeySpec(keyFlags(notes, i), first + <i32>i, 0, 1);
}

/** Writes the ten elements of COMMAND INFO, those of the subcommands included. */
export function putInfo(row: u32): void {
  const notes = record.find(command.nameAddress(row), command.nameBytes(row));
  reply.array(10);
  reply.bulk(command.nameAddress(row), command.nameBytes(row));
  reply.integer(<i64>command.arityOf(row));
  putFlags(command.flagsOf(row));
  reply.integer(<i64>command.firstKey(row));
  reply.integer(<i64>command.lastKey(row));
  reply.integer(<i64>command.keyStep(row));
  putCategories(command.aclOf(row));
  putTips(notes);
  putKeySpecs(row, notes);
  if (command.subcommandCount(row) == 0) reply.set(0);
  else reply.array(command.subcommandCount(row));
  for (let i: u32 = 0; i < command.count() && command.subcommandCount(row) != 0; i++) {
    if (command.containerOf(command.rowAt(i)) == row) putInfo(command.rowAt(i));
  }
}

function putText(name: string, at: u32, length: u32): void {
  reply.bulkText(name);
  units.bulk(at, length);
}

/** Writes the map of COMMAND DOCS, those of the subcommands included. */
export function putDocs(row: u32): void {
  const notes = record.find(command.nameAddress(row), command.nameBytes(row));
  if (notes == 0) return reply.map(0);
  const group = record.group();
  const since = record.secondWord(notes);
  const hasComplexity = record.wordCount(since) > 1;
  const summary = record.detail(notes, SUMMARY);
  const list = record.detail(notes, ARGUMENTS);
  const flags = record.detail(notes, DOCUMENT_FLAGS);
  const deprecated = record.detail(notes, DEPRECATED);
  const members = command.subcommandCount(row);
  reply.map(
    3 +
      u32(hasComplexity) +
      u32(flags != 0) +
      (deprecated != 0 ? 2 : 0) +
      u32(list != 0) +
      u32(members != 0),
  );
  putText('summary', summary, record.lineUnits(summary));
  putText('since', since, record.wordUnits(since));
  reply.bulkText('group');
  reply.bulkText(record.groupName(group));
  if (hasComplexity)
    putText('complexity', record.secondWord(since), record.lineUnits(record.secondWord(since)));
  if (flags != 0) {
    reply.bulkText('doc_flags');
    putLineSet(flags);
  }
  if (deprecated != 0) {
    const instead = record.secondWord(deprecated);
    putText('deprecated_since', deprecated, record.wordUnits(deprecated));
    putText('replaced_by', instead, record.lineUnits(instead));
  }
  if (list != 0) {
    reply.bulkText('arguments');
    argument.putList(list);
  }
  if (members == 0) return;
  reply.bulkText('subcommands');
  reply.map(members);
  for (let i: u32 = 0; i < command.count(); i++) {
    const member = command.rowAt(i);
    if (command.containerOf(member) != row) continue;
    reply.bulk(command.nameAddress(member), command.nameBytes(member));
    putDocs(member);
  }
}
