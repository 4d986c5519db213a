// One client's connection: bytes to the guest, replies to the socket. Every command takes this path.
//
// Input is never paused, as in redis-server: many clients write a whole pipeline before they read anything.
// Replies that their sockets do not take wait in the connection's backlog, which the guest knows and limits.

import type { Connection, ConnectionHandler } from '../platform/sockets.ts';
import { FLAG_CLOSE, FLAG_EVENTS, FLAG_LISTEN, FLAG_MORE } from '../../guest/redis/abi.ts';
import type { RedisGuest } from './guest.ts';

export interface SessionOwner {
  readonly guest: RedisGuest;
  /** The guest has events: see RedisServer. */
  drainEvents(): void;
  /** Listens where the options say now; resolves with the rest of an error if that failed. */
  listen(): Promise<string | undefined>;
  left(session: Session): void;
}

export class Session implements ConnectionHandler {
  readonly slot: number;
  readonly #connection: Connection;
  readonly #owner: SessionOwner;
  /** Whether it has a slot of the guest. */
  #open = true;
  /** The guest accepts no more input; what waits is still sent. */
  #ending = false;
  /** Replies that wait until the host listens where CONFIG SET has said. */
  #held: Buffer[] | undefined;
  #listens = 0;

  constructor(slot: number, connection: Connection, owner: SessionOwner) {
    this.slot = slot;
    this.#connection = connection;
    this.#owner = owner;
  }

  received(bytes: Uint8Array): void {
    if (!this.#open || this.#ending) return;
    const { guest } = this.#owner;
    const { windowBytes } = guest;
    if (bytes.length <= windowBytes) {
      this.#settle(guest.receive(this.slot, bytes));
      return;
    }
    for (let at = 0; at < bytes.length && this.#open && !this.#ending; at += windowBytes) {
      this.#settle(guest.receive(this.slot, bytes.subarray(at, at + windowBytes)));
    }
  }

  /** Sends the reply of a call that returned `flags`, and does what the flags say. */
  #settle(flags: number): void {
    const { guest } = this.#owner;
    if ((flags & FLAG_LISTEN) !== 0 || this.#held !== undefined) this.#hold(flags);
    else if (guest.replyBytes > 0) this.#connection.write(guest.reply());
    if (flags !== 0) this.#settleRest(flags);
  }

  #settleRest(flags: number): void {
    const { guest } = this.#owner;
    let rest = flags;
    while ((rest & FLAG_MORE) !== 0 && this.#open) {
      this.#connection.flush(); // so that the guest learns how much the socket does not take
      if (!this.#open) break;
      const next = guest.resume(this.slot);
      if ((next & FLAG_LISTEN) !== 0 || this.#held !== undefined) this.#hold(next);
      else if (guest.replyBytes > 0) this.#connection.write(guest.reply());
      rest = (rest & ~FLAG_MORE) | next;
    }
    if ((rest & FLAG_CLOSE) !== 0 && this.#open) this.#end();
    if ((rest & FLAG_EVENTS) !== 0) this.#owner.drainEvents();
  }

  /** Keeps the reply of a call, and those behind it, until the host listens. */
  #hold(flags: number): void {
    const held = (this.#held ??= []);
    const index = held.push(Buffer.from(this.#owner.guest.reply())) - 1;
    if ((flags & FLAG_LISTEN) === 0) return;
    const at = this.#owner.guest.calls.listenReply();
    this.#listens++;
    void this.#owner.listen().then((refusal) => {
      if (refusal !== undefined && at >= 0) held[index] = refused(held[index]!, at, refusal);
      if (--this.#listens === 0) this.#release(held);
    });
  }

  #release(held: Buffer[]): void {
    this.#held = undefined;
    if (!this.#open) return;
    for (const reply of held) if (reply.length > 0) this.#connection.write(reply);
    if (this.#ending) this.#end();
  }

  /** The guest has output for this client, which is not running: EVENT_OUTPUT. */
  takeOutput(): void {
    const { guest } = this.#owner;
    for (;;) {
      if (!this.#open || this.#ending) return;
      guest.calls.output(this.slot);
      if (guest.replyBytes === 0) return;
      this.#connection.write(guest.reply());
    }
  }

  /** Closes the connection after what waits has been sent; until then the client counts. */
  #end(): void {
    this.#ending = true;
    if (this.#held !== undefined) return; // #release() ends it
    this.#connection.end();
    if (!this.#connection.isBacklogged) this.#leave();
  }

  queued(bytes: number, blocks: number): void {
    if (!this.#open) return;
    if ((this.#owner.guest.queued(this.slot, bytes, blocks) & FLAG_EVENTS) !== 0)
      this.#owner.drainEvents();
  }

  closed(): void {
    this.#leave();
  }

  /** The guest closes the connection, or the server ends. */
  kill(): void {
    this.#leave();
    this.#connection.destroy();
  }

  /** Frees the slot; once. */
  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#owner.guest.calls.disconnect(this.slot);
    this.#owner.left(this);
  }
}

const OK_BYTES = '+OK\r\n'.length;

/** The replies with an error in the place of the OK at `at`. */
function refused(replies: Buffer, at: number, refusal: string): Buffer {
  const error = `-ERR CONFIG SET failed (possibly related to argument '${refusal}\r\n`;
  return Buffer.concat([
    replies.subarray(0, at),
    Buffer.from(error),
    replies.subarray(at + OK_BYTES),
  ]);
}
