// A disk that loses power: the possible contents of a directory's files afterwards, at any moment of a run.
//
// Interface new Disk(random, directory) observes every write and sync of this thread's VMs there, until
// end(). crash(target) fills a directory: for each file the synced bytes, and for each later write all, none,
// or some of its sectors. Concurrency This thread's system calls only: no rings, no other vCPUs.

import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { files } from '#platform';
import type { Random } from '../random.ts';

const SECTOR = 512;

interface Write {
  position: number;
  bytes: Buffer;
}

class DiskFile {
  #synced: Buffer;
  #since: Write[] = [];

  constructor(content: Buffer) {
    this.#synced = content;
  }

  write(position: number, bytes: Buffer): void {
    this.#since.push({ position, bytes });
  }

  get synced(): Buffer {
    return this.#synced;
  }

  sync(): void {
    for (const write of this.#since) this.#synced = put(this.#synced, write);
    this.#since = [];
  }

  afterCrash(random: Random): Buffer {
    let content: Buffer = Buffer.from(this.#synced);
    const kept = random.below(4); // of four: nothing, all, or some of what was not synced
    for (const { position, bytes } of this.#since) {
      if (kept === 0 || (kept > 1 && random.below(3) === 0)) continue;
      const isTorn = kept > 1 && random.below(4) === 0;
      for (let at = 0; at < bytes.length; at += SECTOR) {
        if (isTorn && random.below(2) === 0) continue;
        content = put(content, { position: position + at, bytes: bytes.subarray(at, at + SECTOR) });
      }
    }
    return content;
  }
}

function put(content: Buffer, { position, bytes }: Write): Buffer {
  const end = position + bytes.length;
  const target =
    end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : content;
  bytes.copy(target, position);
  return target;
}

export class Disk {
  /** Called before each write and each sync. */
  onStep: () => void = () => {};
  readonly #random: Random;
  readonly #files = new Map<string, DiskFile>();
  readonly #open = new Map<number, DiskFile>();
  readonly #host = { ...files };

  constructor(random: Random, directory: string) {
    this.#random = random;
    const host = this.#host;
    for (const name of readdirSync(directory))
      this.#files.set(name, new DiskFile(readFileSync(join(directory, name))));
    files.open = (path, flags) => {
      const descriptor = host.open(path, flags);
      if (realpathSync(dirname(path)) === directory)
        this.#open.set(descriptor, this.#file(basename(path)));
      return descriptor;
    };
    files.close = (descriptor) => {
      this.#open.delete(descriptor);
      host.close(descriptor);
    };
    files.write = (descriptor, memory, address, bytes, position) => {
      const file = this.#open.get(descriptor);
      if (file !== undefined) this.onStep();
      const done = host.write(descriptor, memory, address, bytes, position);
      file?.write(position!, Buffer.from(memory.slice(address, address + done)));
      return done;
    };
    files.sync = (descriptor) => {
      if (this.#open.has(descriptor)) this.onStep();
      host.sync(descriptor);
      this.#open.get(descriptor)?.sync();
    };
  }

  #file(name: string): DiskFile {
    const known = this.#files.get(name) ?? new DiskFile(Buffer.alloc(0));
    this.#files.set(name, known);
    return known;
  }

  crash(target: string): void {
    for (const [name, file] of this.#files)
      writeFileSync(join(target, name), file.afterCrash(this.#random));
  }

  /** The worst case: only what was synced. */
  crashWithout(target: string): void {
    for (const [name, file] of this.#files) writeFileSync(join(target, name), file.synced);
  }

  end(): void {
    Object.assign(files, this.#host);
  }
}
