// DEBUG PROTOCOL: one reply of each type, so that clients can test their parsers.

import * as args from '../wire/args.ts';
import * as reply from '../wire/reply.ts';

/** DEBUG PROTOCOL type */
export function run(): void {
  if (args.is(2, 'string')) reply.bulkText('Hello World');
  else if (args.is(2, 'integer')) reply.integer(12345);
  else if (args.is(2, 'double')) double();
  else if (args.is(2, 'null')) reply.none();
  else if (args.is(2, 'array')) threeIntegers(false);
  else if (args.is(2, 'set')) threeIntegers(true);
  else if (args.is(2, 'map')) map();
  else if (args.is(2, 'attrib')) attribute();
  else if (args.is(2, 'push')) push();
  else if (args.is(2, 'verbatim')) verbatim();
  else if (args.is(2, 'true')) reply.boolean(true);
  else if (args.is(2, 'false')) reply.boolean(false);
  else if (args.is(2, 'bignum')) bigNumber();
  else {
    reply.errorBegin('ERR Wrong protocol type name. Please use one of the following: ');
    reply.text('string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false');
    reply.errorEnd();
  }
}

function double(): void {
  if (reply.protocol() < 3) return reply.bulkText('3.141');
  reply.text(',3.141');
  reply.crlf();
}

function bigNumber(): void {
  if (reply.protocol() < 3) return reply.bulkText('1234567999999999999999999999999999999');
  reply.text('(1234567999999999999999999999999999999');
  reply.crlf();
}

function verbatim(): void {
  if (reply.protocol() < 3) return reply.bulkText('This is a verbatim\nstring');
  reply.text('=29');
  reply.crlf();
  reply.text('txt:This is a verbatim\nstring');
  reply.crlf();
}

function threeIntegers(isSet: bool): void {
  if (isSet) reply.set(3);
  else reply.array(3);
  for (let i: i64 = 0; i < 3; i++) reply.integer(i);
}

function map(): void {
  reply.map(3);
  for (let i: i64 = 0; i < 3; i++) {
    reply.integer(i);
    reply.boolean(i == 1);
  }
}

function attribute(): void {
  if (reply.protocol() >= 3) {
    reply.text('|1');
    reply.crlf();
    reply.bulkText('key-popularity');
    reply.array(2);
    reply.bulkText('key:123');
    reply.integer(90);
  }
  reply.bulkText('Some real reply following the attribute');
}

function push(): void {
  if (reply.protocol() < 3) return reply.error('ERR RESP2 is not supported by this command');
  reply.text('>2');
  reply.crlf();
  reply.bulkText('server-cpu-usage');
  reply.integer(42);
  reply.bulkText('Some real reply following the push reply');
}
