// The line of CLIENT LIST and CLIENT INFO about one connection.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as identity from '../client/identity.ts';
import * as input from '../wire/input.ts';
import * as protocol from '../wire/protocol.ts';
import * as text from '../bytes/text.ts';
import { Client } from '../client/client.ts';

function putBlock(block: u32): void {
  if (block != 0) text.bytes(block + 4, client.textBytes(block));
}

function putFlags(c: Client): void {
  const flags = c.flags;
  const start = text.length();
  if (flags & client.MONITOR) text.byte(79);
  if (flags & client.MULTI) text.byte(120);
  if (flags & client.DIRTY_CAS) text.byte(100);
  if (flags & client.CLOSE_AFTER_REPLY) text.byte(99);
  if (flags & client.CLOSE_ASAP) text.byte(65);
  if (flags & client.UNIX_SOCKET) text.byte(85);
  if (flags & client.NO_EVICT) text.byte(101);
  if (text.length() == start) text.byte(78);
}

/** Bytes that a connection takes: its record, its texts, what it keeps of input, what waits to be sent. */
export function memoryOf(c: Client): u64 {
  const blocks =
    client.textBytes(c.name) + client.textBytes(c.address) + client.textBytes(c.localAddress);
  return (
    input.bytesOf(c) + c.output + c.pendingBytes + (offsetof<Client>() + blocks + c.queueBytes)
  );
}

/** Of the client whose command runs, the input is in the window that all share. */
function putInput(c: Client): void {
  const isRunning = changetype<u32>(c) == changetype<u32>(client.current());
  const inWindow = isRunning && c.input == 0;
  text.ascii(' qbuf=');
  text.unsigned(inWindow ? protocol.stretchBytes() : c.inputBytes + c.largeRead);
  text.ascii(' qbuf-free=');
  text.unsigned(c.inputRoom - min(c.inputRoom, c.inputBytes));
  text.ascii(' argv-mem=');
  let argumentBytes: u64 = c.largeBytes + (c.argumentsRoom << 3);
  if (inWindow) for (let i: u32 = 0; i < args.count(); i++) argumentBytes += args.len(i);
  text.unsigned(argumentBytes);
  text.ascii(' multi-mem=');
  text.unsigned(c.queueBytes);
}

/** A client has no reply buffer of its own (rbs, rbp); what waits is in the first FIRST_BYTES and a list. */
function putOutput(c: Client): void {
  const inFirst = min<u64>(c.output, client.FIRST_BYTES);
  text.ascii(' rbs=0 rbp=0 obl=');
  text.unsigned(inFirst);
  text.ascii(' oll=');
  text.unsigned(c.output == inFirst ? 0 : c.outputBlocks);
  text.ascii(' omem=');
  text.unsigned(c.output - inFirst);
}

/** Appends the line about a connection, without the newline. */
export function put(c: Client): void {
  text.ascii('id=');
  text.unsigned(c.id);
  text.ascii(' addr=');
  putBlock(c.address);
  text.ascii(' laddr=');
  putBlock(c.localAddress);
  text.ascii(' fd=');
  text.unsigned(c.slot); // the host keeps the descriptor to itself
  text.ascii(' name=');
  putBlock(c.name);
  text.ascii(' age=');
  text.integer((clock.ms() - c.createdMs) / 1000);
  text.ascii(' idle=');
  text.integer((clock.ms() - c.activeMs) / 1000);
  text.ascii(' flags=');
  putFlags(c);
  text.ascii(' db=');
  text.unsigned(c.db);
  text.ascii(' sub=0 psub=0 ssub=0 multi=');
  text.integer(c.flags & client.MULTI ? <i64>c.queueCount : -1);
  putInput(c);
  putOutput(c);
  text.ascii(' tot-mem=');
  text.unsigned(memoryOf(c));
  text.ascii(c.output == 0 ? ' events=r cmd=' : ' events=rw cmd=');
  if (c.lastCommand == 0) text.ascii('NULL');
  else text.bytes(command.nameAddress(c.lastCommand), command.nameBytes(c.lastCommand));
  text.ascii(' user=');
  text.ascii(identity.USER);
  text.ascii(' redir=-1 resp=');
  text.unsigned(c.protocol);
  text.ascii(' lib-name=');
  putBlock(c.libName);
  text.ascii(' lib-ver=');
  putBlock(c.libVersion);
}
