// One client's connection: bytes to the guest, replies to the socket. The path of every command.

import type { Connection, ConnectionHandler } from '../platform/sockets.ts';
import { FLAG_CLOSE, FLAG_EVENTS, FLAG_MORE, type RedisGuest } from './guest.ts';

/** Replies that may wait unsent before the client's next commands have to wait too. */
const UNSENT_BYTES_MAX = 256 * 1024;

export interface SessionOwner {
  readonly guest: RedisGuest;
  /** The guest has something to say: see RedisServer. */
  drainEvents(): void;
  left(session: Session): void;
}

export class Session implements ConnectionHandler {
  readonly slot: number;
  readonly #connection: Connection;
  readonly #owner: SessionOwner;
  #parked = false;
  #open = true;

  constructor(slot: number, connection: Connection, owner: SessionOwner) {
    this.slot = slot;
    this.#connection = connection;
    this.#owner = owner;
  }

  received(bytes: Uint8Array): void {
    if (!this.#open) return;
    const { guest } = this.#owner;
    const { windowBytes } = guest;
    if (bytes.length <= windowBytes) {
      this.#settle(guest.receive(this.slot, bytes));
      return;
    }
    for (let at = 0; at < bytes.length && this.#open; at += windowBytes) {
      this.#settle(guest.receive(this.slot, bytes.subarray(at, at + windowBytes)));
    }
  }

  /** Sends the reply of a call that returned `flags`, and does what else they say. */
  #settle(flags: number): void {
    const { guest } = this.#owner;
    if (guest.replyBytes > 0) this.#connection.write(guest.reply());
    if (flags !== 0) this.#settleRest(flags);
    else if (this.#connection.unsent > UNSENT_BYTES_MAX) this.#connection.pause();
  }

  #settleRest(flags: number): void {
    const { guest } = this.#owner;
    let rest = flags;
    while ((rest & FLAG_MORE) !== 0) {
      if (this.#connection.unsent > UNSENT_BYTES_MAX) {
        this.#parked = true;
        this.#connection.pause();
        guest.calls.park(this.slot);
        break;
      }
      const next = guest.resume(this.slot);
      if (guest.replyBytes > 0) this.#connection.write(guest.reply());
      rest = (rest & ~FLAG_MORE) | next;
    }
    if ((rest & FLAG_CLOSE) !== 0) {
      this.#leave();
      this.#connection.end();
    }
    if ((rest & FLAG_EVENTS) !== 0) this.#owner.drainEvents();
  }

  drained(): void {
    if (!this.#open) return;
    if (this.#parked) {
      this.#parked = false;
      this.#settle(this.#owner.guest.resume(this.slot));
    }
    if (!this.#parked && this.#open) this.#connection.resume();
  }

  closed(): void {
    this.#leave();
  }

  /** The guest wants the connection gone, or the server ends. */
  kill(): void {
    this.#leave();
    this.#connection.destroy();
  }

  /** Gives the slot back; once. */
  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#owner.guest.calls.disconnect(this.slot);
    this.#owner.left(this);
  }
}
