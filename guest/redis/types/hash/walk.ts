// The hash commands that go through fields: HGETALL, HKEYS, HVALS, HSCAN, HRANDFIELD.

import * as ascii from '../../bytes/ascii.ts';
import * as args from '../../wire/args.ts';
import * as command from '../../command/command.ts';
import * as cursor from '../../bytes/cursor.ts';
import * as errors from '../../command/errors.ts';
import * as gathered from '../../bytes/gathered.ts';
import * as glob from '../../bytes/glob.ts';
import * as hash from './value.ts';
import * as heap from '../../bytes/heap.ts';
import * as number from '../../bytes/number.ts';
import * as random from '../../bytes/random.ts';
import * as reply from '../../wire/reply.ts';
import * as replyBlock from '../../wire/reply-block.ts';
import * as target from './target.ts';

/**
 * A small sample is drawn with replacement until it is large enough; a larger share is chosen in one walk.
 */
const SAMPLE_SHARE: u32 = 3;

export function register(): void {
  target.define('hgetall', hgetall, 2, command.READONLY);
  target.define('hkeys', hkeys, 2, command.READONLY);
  target.define('hvals', hvals, 2, command.READONLY);
  target.define('hrandfield', hrandfield, -2, command.READONLY);
  target.define('hscan', hscan, -3, command.READONLY);
}

function replyField(): void {
  hash.readField();
  reply.bulk(hash.textAt, hash.textBytes);
}

function replyValue(): void {
  hash.readValue();
  reply.bulk(hash.textAt, hash.textBytes);
}

function emptyMap(): void {
  reply.map(0);
}

function emptyArray(): void {
  reply.array(0);
}

/** HGETALL key */
function hgetall(): void {
  const found = target.read(emptyMap);
  if (found == 0) return;
  reply.map(hash.count(found));
  for (let more = hash.begin(found); more; more = hash.advance()) {
    replyField();
    replyValue();
  }
}

/** HKEYS key */
function hkeys(): void {
  const found = target.read(emptyArray);
  if (found == 0) return;
  reply.array(hash.count(found));
  for (let more = hash.begin(found); more; more = hash.advance()) replyField();
}

/** HVALS key */
function hvals(): void {
  const found = target.read(emptyArray);
  if (found == 0) return;
  reply.array(hash.count(found));
  for (let more = hash.begin(found); more; more = hash.advance()) replyValue();
}

// --- HSCAN -------------------------------------------------------------------------------------------------

let pattern: u32 = 0;
let patternBytes: u32 = 0;
let isFiltered: bool = false;
let shown: u32 = 0;

function emptyScan(): void {
  reply.array(2);
  reply.bulkText('0');
  reply.array(0);
}

/** HSCAN key cursor [MATCH pattern] [COUNT count] */
function hscan(): void {
  if (!cursor.read(args.ptr(2), args.len(2))) return reply.error('ERR invalid cursor');
  const found = target.read(emptyScan);
  if (found == 0) return;
  let wanted: i64 = 10;
  isFiltered = false;
  for (let i: u32 = 3; i < args.count(); i += 2) {
    if (i + 1 == args.count()) return errors.syntax();
    if (args.is(i, 'count')) {
      if (!args.isInteger(i + 1)) return errors.notInteger();
      wanted = number.parsed;
      if (wanted < 1) return errors.syntax();
    } else if (args.is(i, 'match')) setPattern(i + 1);
    else return errors.syntax();
  }
  if (hash.isLarge(found)) scanLarge(found, cursor.parsed, <u64>wanted);
  else scanSmall(found);
}

function setPattern(index: u32): void {
  pattern = args.ptr(index);
  patternBytes = args.len(index);
  isFiltered = !(patternBytes == 1 && load<u8>(pattern) == ascii.ASTERISK);
}

/** A small hash is shown whole. */
function scanSmall(found: u32): void {
  reply.array(2);
  reply.bulkText('0');
  shown = 0;
  const mark = reply.deferArray();
  for (let more = hash.begin(found); more; more = hash.advance()) showChosen();
  reply.endArray(mark, shown);
}

/** Visits buckets until enough fields were met, but not many times as many buckets as were asked for. */
function scanLarge(found: u32, from: u64, wanted: u64): void {
  let turns = min<u64>(wanted, u64.MAX_VALUE / 10) * 10;
  let next = from;
  gathered.clear();
  do next = hash.scan(found, next, gathered.add);
  while (next != 0 && --turns != 0 && <u64>gathered.count() < wanted);
  if (!gathered.isWhole()) return errors.outOfMemory();
  reply.array(2);
  reply.bulkInteger(<i64>next);
  shown = 0;
  const mark = reply.deferArray();
  for (let i: u32 = 0; i < gathered.count(); i++) {
    hash.chooseNode(gathered.at(i));
    showChosen();
  }
  reply.endArray(mark, shown);
  gathered.trim();
}

/** Replies the chosen field and its value if the pattern lets it. */
function showChosen(): void {
  hash.readField();
  if (isFiltered && !glob.matches(pattern, patternBytes, hash.textAt, hash.textBytes)) return;
  reply.bulk(hash.textAt, hash.textBytes);
  replyValue();
  shown += 2;
}

// --- HRANDFIELD --------------------------------------------------------------------------------------------

let hasValues: bool = false;

/** HRANDFIELD key [count [WITHVALUES]] */
function hrandfield(): void {
  if (args.count() == 2) return oneRandom();
  if (!args.isInteger(2)) return errors.notInteger();
  const wanted = number.parsed;
  if (wanted == i64.MIN_VALUE) {
    return reply.error(
      'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
    );
  }
  hasValues = args.count() == 4 && args.is(3, 'withvalues');
  if (args.count() > 3 && !hasValues) return errors.syntax();
  if (hasValues && (wanted < -(i64.MAX_VALUE / 2) || wanted > i64.MAX_VALUE / 2)) {
    return reply.error('ERR value is out of range');
  }
  const found = target.read(emptyArray);
  if (found == 0) return;
  if (wanted < 0) return repeated(found, <u64>-wanted);
  const fields = hash.count(found);
  const sample = <u64>wanted > <u64>fields ? fields : <u32>wanted;
  if (!hash.isLarge(found) || <u64>sample * SAMPLE_SHARE >= <u64>fields)
    walked(found, fields, sample);
  else drawn(found, sample);
}

function oneRandom(): void {
  const found = target.read(target.none);
  if (found == 0) return;
  hash.choose(found, random.bits);
  replyField();
}

/** Header for a number of fields, with their values if these were asked for. */
function replyHeader(fields: u64): void {
  reply.array(hasValues && reply.protocol() < 3 ? (<u32>fields) << 1 : <u32>fields);
}

function replyChosen(): void {
  if (hasValues && reply.protocol() >= 3) reply.array(2);
  replyField();
  if (hasValues) replyValue();
}

/** As many as asked for, the same more than once. */
function repeated(found: u32, wanted: u64): void {
  if (wanted > 0x3fffffff) return reply.error('ERR value is out of range');
  replyHeader(wanted);
  for (; wanted > 0 && !replyBlock.hasFailed(); wanted--) {
    hash.choose(found, random.bits);
    replyChosen();
  }
}

/** Different ones, in the order of the hash: each field is taken with the odds that make the sample full. */
function walked(found: u32, fields: u32, sample: u32): void {
  replyHeader(sample);
  let more = hash.begin(found);
  for (let left = fields; more && sample > 0; left--, more = hash.advance()) {
    if (random.bits() % left >= sample) continue;
    sample--;
    replyChosen();
  }
}

/** Different ones, few of many: drawn, and drawn again when they were there before. */
function drawn(found: u32, sample: u32): void {
  let cells: u32 = 16;
  while (cells < sample << 1) cells <<= 1; // at most 27 turns: the sample is less than a third of the fields
  const seen = heap.alloc(cells << 2);
  if (seen == 0) return errors.outOfMemory();
  memory.fill(seen, 0, cells << 2);
  replyHeader(sample);
  while (sample > 0) {
    const node = hash.choose(found, random.bits);
    let cell = ((node >> 3) * 2654435761) & (cells - 1);
    while (load<u32>(seen + (cell << 2)) != 0 && load<u32>(seen + (cell << 2)) != node)
      cell = (cell + 1) & (cells - 1);
    if (load<u32>(seen + (cell << 2)) == node) continue;
    store<u32>(seen + (cell << 2), node);
    sample--;
    replyChosen();
  }
  heap.free(seen, cells << 2);
}
