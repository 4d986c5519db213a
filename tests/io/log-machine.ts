// A VM whose guest has requests and a log (guest/log.ts), and its functions by name.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPEN_CREATE, OPEN_READ, OPEN_WRITE } from '../../assembly/abi/syscall.ts';
import { MicroVM, type MicroVMHandle, type MicroVMOptions } from '../../host/index.ts';
import { readBuiltModule } from '#platform';

export const LOG_FILE = 'log';
export const HIGH = 0;
export const LOW = 1;

/** A record as the reader returns it. */
export interface Found {
  writer: number;
  sequence: number;
  /** LSN. */
  position: bigint;
}

export class LogGuest {
  readonly vm: MicroVM;

  constructor(vm: MicroVM) {
    this.vm = vm;
  }

  call(name: string, ...args: (number | bigint)[]): number {
    return Number(this.vm.enter().exports[name]!(...args));
  }

  /** The file's number in rings. */
  open(name: string): number {
    for (let i = 0; i < name.length; i++) this.call('putPath', i, name.charCodeAt(i));
    return this.call('open', name.length, OPEN_READ | OPEN_WRITE | OPEN_CREATE);
  }

  append(writer: number, sequence: number, bytes: number): bigint {
    return this.vm.enter().exports['append']!(writer, sequence, bytes) as bigint;
  }

  /** The records of the valid prefix; each must be unchanged. */
  records(file: number): Found[] {
    const found: Found[] = [];
    if (this.call('readLog', file) !== 0) throw new Error('the reader does not open');
    while (true) {
      const next = this.call('next');
      if (next < 0) throw new Error(`next: ${next}`);
      if (next === 0) return found;
      const record = { writer: this.call('readWriter'), sequence: this.call('readSequence') };
      if (this.call('isAsWritten') !== 1)
        throw new Error(`${JSON.stringify(record)} is not as it was written`);
      found.push({ ...record, position: BigInt(this.call('readPosition')) });
    }
  }
}

export async function createLogGuest(
  directory: string,
  options: Partial<MicroVMOptions> = {},
): Promise<LogGuest> {
  const vm = await MicroVM.create({
    guest: readBuiltModule('log-test.wasm'),
    linked: true,
    memory: 64 << 20,
    preopen: directory,
    rings: true,
    ...options,
  });
  return new LogGuest(vm);
}

/** The same VM on this thread. */
export async function joinLogGuest(handle: MicroVMHandle): Promise<LogGuest> {
  const guest = new LogGuest(await MicroVM.attach(handle));
  guest.call('joinLog');
  return guest;
}

export function scratch(): { directory: string; log: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-log-'));
  const remove = (): void => rmSync(directory, { recursive: true });
  return { directory, log: join(directory, LOG_FILE), remove };
}
