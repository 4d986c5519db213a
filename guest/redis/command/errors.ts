// Error replies that several commands give. The texts are Redis's.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as command from './command.ts';
import * as config from '../config/config.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import * as replyBlock from '../wire/reply-block.ts';
import { usedBytes } from '../bytes/heap.ts';

export function syntax(): void {
  reply.error('ERR syntax error');
}

export function notInteger(): void {
  reply.error('ERR value is not an integer or out of range');
}

export function wrongType(): void {
  reply.error('WRONGTYPE Operation against a key holding the wrong kind of value');
}

export function noKey(): void {
  reply.error('ERR no such key');
}

const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
const VM_FULL =
  "OOM command not allowed when the memory of the VM is full (option 'memory' of the server).";

/** What is full: maxmemory, or the VM itself. */
function outOfMemoryText(): string {
  const limit = <u64>config.number(option.MAXMEMORY);
  return limit != 0 && usedBytes() > limit ? OUT_OF_MEMORY : VM_FULL;
}

export function outOfMemory(): void {
  reply.error(outOfMemoryText());
}

export function noAuth(): void {
  reply.error('NOAUTH Authentication required.');
}

export function misconf(): void {
  reply.errorBegin('MISCONF Redis is configured to save RDB snapshots,');
  reply.text(
    " but it's currently unable to persist to disk. Commands that may modify the data set are disabled,",
  );
  reply.text(
    ' because this instance is configured to report errors during writes if RDB snapshotting fails',
  );
  reply.text(' (stop-writes-on-bgsave-error option).');
  reply.text(' Please check the Redis logs for details about the RDB error.');
  reply.errorEnd();
}

export function noReplicas(): void {
  reply.error('NOREPLICAS Not enough good replicas to write.');
}

export function loading(): void {
  reply.error('LOADING Redis is loading the dataset in memory');
}

export function tooLong(): void {
  reply.error('ERR string exceeds maximum allowed size (proto-max-bulk-len)');
}

export function invalidExpire(row: u32): void {
  reply.errorBegin("ERR invalid expire time in '");
  reply.raw(command.nameAddress(row), command.nameBytes(row));
  reply.text("' command");
  reply.errorEnd();
}

export function wrongArity(row: u32): void {
  reply.errorBegin("ERR wrong number of arguments for '");
  reply.raw(command.nameAddress(row), command.nameBytes(row));
  reply.text("' command");
  reply.errorEnd();
}

export function unknownCommand(): void {
  reply.errorBegin("ERR unknown command '");
  reply.plain(args.ptr(0), min<u32>(args.len(0), 128));
  reply.text("', with args beginning with: ");
  let shown: u32 = 0;
  for (let i: u32 = 1; i < args.count() && shown < 128; i++) {
    const before = replyBlock.length();
    reply.text("'");
    reply.plain(args.ptr(i), min<u32>(args.len(i), 128 - shown));
    reply.text("' ");
    shown += replyBlock.length() - before;
  }
  reply.errorEnd();
}

/** What handlers say that read a subcommand's arguments themselves. */
export function badSubcommand(): void {
  reply.errorBegin("ERR unknown subcommand or wrong number of arguments for '");
  reply.plain(args.ptr(1), min<u32>(args.len(1), 128));
  reply.text("'. Try ");
  for (let i: u32 = 0; i < args.len(0); i++) {
    const c: u32 = load<u8>(args.ptr(0) + i);
    reply.character(c - ascii.LOWER_A < 26 ? c - 32 : c);
  }
  reply.text(' HELP.');
  reply.errorEnd();
}

export function unknownSubcommand(container: u32): void {
  reply.errorBegin("ERR unknown subcommand '");
  reply.plain(args.ptr(1), min<u32>(args.len(1), 128));
  reply.text("'. Try ");
  const name = command.nameAddress(container);
  for (let i: u32 = 0; i < command.nameBytes(container); i++) {
    const c = load<u8>(name + i);
    reply.character(c - ascii.LOWER_A < 26 ? c - 32 : c);
  }
  reply.text(' HELP.');
  reply.errorEnd();
}
