// Bytes that wait for a socket: copies, in blocks of at least BLOCK_BYTES, so that many small replies take
// little more than their own size.

const BLOCK_BYTES = 16384; // as redis-server's PROTO_REPLY_CHUNK_BYTES

export class Backlog {
  #blocks: Buffer[] = [];
  #first = 0;
  /** Bytes used in the last block. */
  #used = 0;
  /** Bytes that wait. */
  bytes = 0;

  /** Number of their blocks. */
  get blocks(): number {
    return this.#blocks.length - this.#first;
  }

  /** Appends a copy of `source`. */
  push(source: Uint8Array): void {
    this.bytes += source.length;
    let at = 0;
    const last = this.#blocks.at(-1);
    if (this.blocks > 0 && last !== undefined && this.#used < last.length) {
      at = Math.min(source.length, last.length - this.#used);
      last.set(at === source.length ? source : source.subarray(0, at), this.#used);
      this.#used += at;
    }
    if (at === source.length) return;
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, source.length - at));
    block.set(at === 0 ? source : source.subarray(at));
    this.#used = source.length - at;
    this.#blocks.push(block);
  }

  /** Removes the first blocks, at least one and about `most` bytes. */
  take(most: number): Buffer[] {
    const taken: Buffer[] = [];
    let bytes = 0;
    while (this.#first < this.#blocks.length && bytes < most) {
      const isLast = this.#first === this.#blocks.length - 1;
      const block = this.#blocks[this.#first]!;
      taken.push(isLast ? block.subarray(0, this.#used) : block);
      bytes += isLast ? this.#used : block.length;
      this.#first++;
    }
    this.bytes -= bytes;
    if (this.#first === this.#blocks.length) {
      this.#blocks = [];
      this.#first = this.#used = 0;
    } else if (this.#first > 1024) {
      this.#blocks.splice(0, this.#first);
      this.#first = 0;
    }
    return taken;
  }
}
