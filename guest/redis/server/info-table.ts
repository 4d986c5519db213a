// The sections of INFO that are tables: commands, errors, keyspaces.

import * as command from '../command/command.ts';
import * as rate from '../stats/rate.ts';
import * as space from '../keyspace/space.ts';
import * as text from '../bytes/text.ts';

/** A line for each command that was called or refused. */
export function putCommands(): void {
  for (let i: u32 = 0; i < command.count(); i++) {
    const row = command.rowAt(i);
    const calls = command.callsOf(row);
    if (calls == 0 && command.rejectedOf(row) == 0) continue;
    const us = <u64>command.microsecondsOf(row);
    text.ascii('cmdstat_');
    text.bytes(command.nameAddress(row), command.nameBytes(row));
    text.ascii(':calls=');
    text.unsigned(calls);
    text.ascii(',usec=');
    text.unsigned(us);
    text.ascii(',usec_per_call=');
    text.decimal(calls == 0 ? 0 : <f64>us / <f64>calls, 2);
    text.ascii(',rejected_calls=');
    text.unsigned(command.rejectedOf(row));
    text.ascii(',failed_calls=');
    text.unsigned(command.failedOf(row));
    text.crlf();
  }
}

/** A line for each error code that was replied. */
export function putErrors(): void {
  for (let i: u32 = 0; i < rate.codes(); i++) {
    text.ascii('errorstat_');
    text.bytes(rate.codeAddress(i), rate.codeBytes(i));
    text.ascii(':count=');
    text.unsigned(rate.codeTotal(i));
    text.crlf();
  }
}

/** A line for each database that holds keys. */
export function putKeyspace(): void {
  for (let i: u32 = 0; i < space.databases(); i++) {
    if (space.keyCount(i) == 0) continue;
    text.ascii('db');
    text.unsigned(i);
    text.ascii(':keys=');
    text.unsigned(space.keyCount(i));
    text.ascii(',expires=');
    text.unsigned(space.expiringCount(i));
    text.ascii(',avg_ttl=');
    text.unsigned(<u64>space.averageTtl(i));
    text.crlf();
  }
}
