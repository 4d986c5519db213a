// A snapshot's stream, made as it is read.

import { FRAME_BYTES } from '../../../assembly/abi/limits.ts';
import { RingzeroError } from '../../errors.ts';
import type * as Wasm from '../../webassembly.ts';
import type { KernelExports } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import { registersOf } from '../registers.ts';
import type { TableState } from '../tables.ts';
import { loadCodec } from './codec.ts';
import { stateRecords, type Exported } from './export.ts';

/** A snapshot as the stream needs it. */
export interface Source {
  readonly slot: number;
  readonly id: Uint8Array;
  readonly tables: TableState | undefined;
  /** Throws when the content may have changed since the stream began. */
  check(): void;
}

export function stateStream(
  source: Source,
  since: Source | undefined,
  compress: boolean,
  calls: KernelExports,
  {
    memory,
    source: module,
    registers,
  }: Pick<Machine, 'source' | 'registers'> & { memory: Wasm.Memory },
): ReadableStream<Uint8Array> {
  if (module === undefined)
    throw new RingzeroError(
      'RZ_OPTION',
      'the guest’s images were translated by an earlier release, which did not note their module: ' +
        'translate it again',
    );
  const pagesOf = ({ slot }: Source): number => calls.snapshotBytes(slot) / FRAME_BYTES;
  const exported: Exported = {
    header: {
      ...{ id: source.id, base: since?.id, module },
      pages: pagesOf(source),
      filePages: calls.filePages(source.slot),
      registerBytes: registers.bytes,
    },
    slot: source.slot,
    registers: registersOf(calls, registers, source.slot),
    tables: source.tables,
    base: since && {
      slot: since.slot,
      pages: pagesOf(since),
      filePages: calls.filePages(since.slot),
    },
    filesEnd: calls.openedFiles(),
    compress,
  };
  let records: Generator<Uint8Array, void>;
  return new ReadableStream<Uint8Array>(
    {
      async start() {
        records = stateRecords(exported, calls, memory, await loadCodec());
      },
      pull(controller) {
        source.check();
        since?.check();
        const { done, value } = records.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}
