// A VM with rings for tests: its guest's functions, buffers in the DMA window, and a file of numbered blocks.

import * as abi from '../../assembly/abi/ring.ts';
import { OPEN_CREATE, OPEN_READ, OPEN_WRITE } from '../../assembly/abi/syscall.ts';
import { MicroVM, type MicroVMHandle, type MicroVMOptions } from '../../host/index.ts';
import { absolutePath, files, prepareDirectory, readBuiltModule } from '#platform';
import { directory as directories } from '#platform/store-directory';
import { freshLocation } from '../level/stores.ts';

export const BLOCK = 4096;
export const BLOCKS = 64;

export interface Entry {
  opcode: number;
  file?: number;
  flags?: number;
  address?: number;
  length?: number;
  position?: number | bigint;
}

export class Rings {
  readonly vm: MicroVM;
  readonly buffers: number;
  readonly memory: Buffer;
  #next = 1;

  constructor(vm: MicroVM, buffers: number) {
    this.vm = vm;
    this.buffers = buffers;
    this.memory = Buffer.from(vm.memory.buffer);
  }

  call(name: string, ...args: (number | bigint)[]): number {
    return Number(this.vm.enter().exports[name]!(...args));
  }

  open(name: string, flags = OPEN_READ | OPEN_WRITE): number {
    for (let i = 0; i < name.length; i++) this.call('putPath', i, name.charCodeAt(i));
    return this.call('open', name.length, flags);
  }

  /** Puts an entry into the queue; its number, which is its user data, or -1 without room. */
  submit({ opcode, file = 0, flags = 0, address, length = BLOCK, position = 0 }: Entry): number {
    const data = this.#next++;
    const at = address ?? this.buffers;
    const done = this.call(
      'submit',
      opcode,
      flags,
      file,
      at,
      length,
      BigInt(position),
      BigInt(data),
    );
    return done === 0 ? -1 : data;
  }

  /** Waits for all outstanding entries: results by number. */
  finish(): Map<number, number> {
    const results = new Map<number, number>();
    const count = this.call('outstanding');
    const waited = this.call('wait', count);
    if (waited < 0) throw new Error(`wait: ${waited}`);
    for (let i = 0; i < count; i++) {
      if (this.call('next') === 0) throw new Error('a completion is missing');
      const data = this.call('data');
      if (results.has(data)) throw new Error(`two completions of ${data}`);
      results.set(data, this.call('result'));
    }
    return results;
  }

  /** One entry, from queue to queue. */
  run(entry: Entry): number {
    const number = this.submit(entry);
    return this.finish().get(number)!;
  }

  read(file: number, block: number, buffer = 0): number {
    return this.run({
      opcode: abi.OP_READ,
      file,
      address: this.at(buffer),
      position: block * BLOCK,
    });
  }

  at(buffer: number): number {
    return this.buffers + buffer * BLOCK;
  }

  /** First word of a buffer: the number of the block in it. */
  blockIn(buffer: number): number {
    return this.memory.readUInt32LE(this.at(buffer));
  }
}

export interface Machine extends Rings {
  directory: string;
  path: string;
  close(): Promise<void>;
}

const BUFFERS = 256;

export async function createRings(options: Partial<MicroVMOptions> = {}): Promise<Machine> {
  const directory = absolutePath(freshLocation());
  const path = `${directory}/blocks`;
  await directories.make(directory);
  await directories.create(path);
  const blocks = Buffer.alloc(BLOCKS * BLOCK);
  for (let i = 0; i < BLOCKS; i++)
    blocks.fill(i, i * BLOCK, (i + 1) * BLOCK).writeUInt32LE(i, i * BLOCK);
  const release = await prepareDirectory(directory);
  const descriptor = files.open(path, OPEN_READ | OPEN_WRITE | OPEN_CREATE);
  files.write(descriptor, blocks, 0, blocks.length, 0);
  files.close(descriptor);
  const vm = await MicroVM.create({
    guest: await readBuiltModule('io-test.wasm'),
    linked: true,
    memory: 64 << 20,
    preopen: directory,
    rings: true,
    ...options,
  });
  const buffers = Number(vm.enter().exports['makeBuffers']!(BUFFERS)) >>> 0;
  const close = async (): Promise<void> => {
    await vm.close();
    release();
  };
  return Object.assign(new Rings(vm, buffers), { directory, path, close });
}

/** The same VM on this thread. */
export async function joinRings(handle: MicroVMHandle, buffers: number): Promise<Rings> {
  return new Rings(await MicroVM.attach(handle), buffers);
}
