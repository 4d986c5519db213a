// Walks a whole file system in a VM and checks what guest/fs promises. In the main program and in forks.

import * as abi from '../../guest/fs/abi.ts';
import type { Files } from '../../host/index.ts';

/** Throws an error that names the broken invariant. */
export function audit(files: Files): void {
  new Audit(files).run();
}

interface Inode {
  readonly ino: number;
  readonly type: number;
  readonly links: number;
  readonly opens: number;
  readonly parent: number;
}

class Audit {
  readonly #files: Files;
  readonly #owners = new Map<number, string>();
  readonly #inodes = new Map<number, Inode>();
  readonly #links = new Map<number, number>();

  constructor(files: Files) {
    this.#files = files;
  }

  #words(address: number, bytes: number = abi.BLOCK_BYTES): DataView {
    const { guest } = this.#files.system;
    const at = guest.peek(address >>> 0, bytes);
    return new DataView(guest.bytes.slice(at, at + bytes).buffer);
  }

  #block(block: number): DataView {
    return this.#words(this.#files.system.guest.calls.blockAddress(block));
  }

  #claim(block: number, owner: string): void {
    const other = this.#owners.get(block);
    if (other !== undefined) throw new Error(`FS-1: block ${block} is of ${other} and ${owner}`);
    this.#owners.set(block, owner);
  }

  /** The leaves of a map, by number. */
  #map(root: number, height: number, blocks: number, owner: string): Map<number, number> {
    const leaves = new Map<number, number>();
    let seen = 0;
    const visit = (block: number, level: number, first: number): void => {
      seen++;
      this.#claim(block, owner);
      if (level === 0) return void leaves.set(first, block);
      const node = this.#block(block);
      for (let i = 0; i < 1024; i++) {
        const child = node.getUint32(i * 4, true);
        if (child !== 0) visit(child, level - 1, first + i * 1024 ** (level - 1));
      }
    };
    if (root !== 0) visit(root, height, 0);
    if (seen !== blocks) throw new Error(`FS-2: ${owner} has ${seen} blocks, not ${blocks}`);
    return leaves;
  }

  #mapAt(view: DataView, at: number, owner: string): Map<number, number> {
    const word = (offset: number): number => view.getUint32(at + offset, true);
    return this.#map(word(abi.MAP_ROOT), word(abi.MAP_HEIGHT), word(abi.MAP_BLOCKS), owner);
  }

  run(): void {
    const { calls } = this.#files.system.guest;
    const superblock = this.#words(calls.superblockAddress());
    const word = (offset: number): number => superblock.getUint32(offset, true);
    if (word(abi.SUPER_LOCK) !== 0) throw new Error('the lock is held');
    for (let block = 0; block < abi.FIXED_BLOCKS; block++) this.#claim(block, 'fixed');
    const total = word(abi.SUPER_TOTAL);
    for (let first: number = abi.GROUP_BLOCKS; first < total; first += abi.GROUP_BLOCKS)
      this.#claim(first, 'bitmap');
    const inodes = this.#mapAt(superblock, abi.SUPER_INODES, 'inodes');
    const opens = this.#mapAt(superblock, abi.SUPER_OPENS, 'opens');
    this.#readInodes(inodes, word(abi.SUPER_INODE_END));
    if (this.#inodes.size !== word(abi.SUPER_INODE_COUNT))
      throw new Error(`FS-3: ${this.#inodes.size} inodes, not ${word(abi.SUPER_INODE_COUNT)}`);
    this.#checkLinks();
    this.#checkOpens(opens, word(abi.SUPER_OPEN_END));
    this.#checkBitmap(total, word(abi.SUPER_FREE));
  }

  #readInodes(leaves: Map<number, number>, end: number): void {
    const contents: (() => void)[] = [];
    for (let ino = 1; ino <= end; ino++) {
      const block = this.#block(leaves.get(Math.floor(ino / abi.INODES_PER_BLOCK))!);
      const at = (ino % abi.INODES_PER_BLOCK) * abi.INODE_BYTES;
      const word = (offset: number): number => block.getUint32(at + offset, true);
      const mode = word(abi.INODE_MODE);
      if (mode === 0) continue;
      const type = mode & abi.TYPE_MASK;
      const [links, opens] = [word(abi.INODE_LINKS), word(abi.INODE_OPENS)];
      if (links === 0 && opens === 0) throw new Error(`FS-3: inode ${ino} is unreachable`);
      this.#inodes.set(ino, { ino, type, links, opens, parent: word(abi.INODE_PARENT) });
      const content = this.#mapAt(block, at + abi.INODE_MAP, `inode ${ino}`);
      const index = this.#mapAt(block, at + abi.INODE_INDEX, `index of ${ino}`);
      const size = Number(block.getBigUint64(at + abi.INODE_SIZE, true));
      for (const leaf of content.keys())
        if (leaf * abi.BLOCK_BYTES >= size) throw new Error(`inode ${ino}: block ${leaf}, ${size}`);
      if (type !== abi.TYPE_DIRECTORY) continue;
      const [entries, tail] = [word(abi.INODE_ENTRIES), word(abi.INODE_TAIL)];
      const buckets = word(abi.INODE_BUCKETS);
      contents.push(() => this.#directory(ino, content, index, { entries, tail, buckets }));
    }
    for (const check of contents) check();
  }

  #directory(
    ino: number,
    content: Map<number, number>,
    index: Map<number, number>,
    { entries, tail, buckets }: { entries: number; tail: number; buckets: number },
  ): void {
    const fail = (what: string): never => {
      throw new Error(`FS-4, FS-5: directory ${ino}: ${what}`);
    };
    if (entries === 0 && (tail !== 0 || content.size > 0 || index.size > 0)) fail('has content');
    const blocks = new Map([...content].map(([leaf, block]) => [leaf, this.#block(block)]));
    const at = (offset: number): [DataView, number] => [
      blocks.get(Math.floor(offset / abi.BLOCK_BYTES)) ?? fail(`no block at ${offset}`),
      offset % abi.BLOCK_BYTES,
    ];
    const used = new Set<number>();
    for (let offset: number = abi.ENTRIES_AT; offset < tail;) {
      const [block, place] = at(offset);
      const bytes = block.getUint16(place + abi.ENTRY_BYTES, true);
      if (bytes === 0 || place + bytes > abi.BLOCK_BYTES) fail(`entry of ${bytes} at ${offset}`);
      const child = block.getUint32(place + abi.ENTRY_INODE, true);
      if (child !== 0) {
        used.add(offset);
        this.#link(ino, child, block.getUint8(place + abi.ENTRY_TYPE) << 12);
      }
      offset += bytes;
    }
    if (used.size !== entries) fail(`${used.size} entries, not ${entries}`);
    let found = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const block = this.#block(index.get(bucket >> 10) ?? fail('no bucket'));
      let offset = block.getUint32((bucket % 1024) * 4, true);
      for (; offset !== 0; found++) {
        if (!used.has(offset)) fail(`bucket ${bucket} leads to ${offset}`);
        const [entry, place] = at(offset);
        const hash = entry.getUint32(place + abi.ENTRY_HASH, true);
        if ((hash & (buckets - 1)) !== bucket) fail(`${offset} is in bucket ${bucket}`);
        offset = entry.getUint32(place + abi.ENTRY_NEXT, true);
      }
    }
    if (found !== entries) fail(`${found} entries in buckets, not ${entries}`);
  }

  #link(directory: number, child: number, type: number): void {
    const inode = this.#inodes.get(child);
    if (inode === undefined)
      throw new Error(`FS-3: an entry of ${directory} has no inode ${child}`);
    if (inode.type !== type) throw new Error(`FS-4: inode ${child} has another type`);
    this.#links.set(child, (this.#links.get(child) ?? 0) + 1);
    if (type !== abi.TYPE_DIRECTORY) return;
    if (inode.parent !== directory) throw new Error(`FS-6: parent of ${child}: ${inode.parent}`);
    if (this.#links.get(child)! > 1) throw new Error(`FS-6: directory ${child} has two names`);
  }

  #checkLinks(): void {
    const sub = new Map<number, number>();
    for (const { type, parent, links } of this.#inodes.values())
      if (type === abi.TYPE_DIRECTORY && parent !== 0 && links > 0)
        sub.set(parent, (sub.get(parent) ?? 0) + 1);
    for (const { ino, type, links } of this.#inodes.values()) {
      const isDirectory = type === abi.TYPE_DIRECTORY;
      if (isDirectory && links === 0) continue;
      const wanted = isDirectory ? 2 + (sub.get(ino) ?? 0) : (this.#links.get(ino) ?? 0);
      if (links !== wanted) throw new Error(`FS-6: inode ${ino} has ${links} links, not ${wanted}`);
    }
  }

  #checkOpens(leaves: Map<number, number>, end: number): void {
    const counts = new Map<number, number>();
    for (let record = 0; record < end; record++) {
      const block = this.#block(leaves.get(Math.floor(record / abi.OPENS_PER_BLOCK))!);
      const ino = block.getUint32((record % abi.OPENS_PER_BLOCK) * abi.OPEN_BYTES, true);
      if (ino !== 0) counts.set(ino, (counts.get(ino) ?? 0) + 1);
    }
    for (const { ino, opens } of this.#inodes.values())
      if (opens !== (counts.get(ino) ?? 0))
        throw new Error(`FS-7: inode ${ino}: ${opens} opens, not ${counts.get(ino)}`);
  }

  #checkBitmap(total: number, free: number): void {
    let bitmap: DataView | undefined;
    let used = 0;
    for (let block = 0; block < total; block++) {
      const within = block % abi.GROUP_BLOCKS;
      if (within === 0) bitmap = this.#block(block === 0 ? 1 : block);
      const isUsed = ((bitmap!.getUint8(within >> 3) >> (within & 7)) & 1) === 1;
      if (isUsed !== this.#owners.has(block))
        throw new Error(`FS-1: block ${block}: ${isUsed}, ${this.#owners.get(block)}`);
      if (isUsed) used++;
    }
    if (used + free !== total) throw new Error(`FS-1: ${used} + ${free} blocks, not ${total}`);
  }
}
