// The directories of the tests of WASI's sandbox, and the program in it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import { RIGHT } from '../../host/wasi/abi.ts';
import { Reactor } from './reactor.ts';

export interface Context {
  /** Holds `inside`, which the program gets, and `secret`, which it must not see. */
  scratch: string;
  inside: string;
  reactor: Reactor;
}

export const DIRECTORY = 3;
export const SECRET = 'nobody may read this';
export const WRITE =
  RIGHT.FD_WRITE | RIGHT.FD_READ | RIGHT.FD_SEEK | RIGHT.FD_TELL | RIGHT.FD_FILESTAT_GET;

/** A suite whose tests each have a reactor with the directory `inside`. */
export function sandboxSuite(name: string): Test<Context> {
  const test = suite<Context>(name);
  test.before.each(async (context) => {
    context.scratch = mkdtempSync(join(tmpdir(), 'ringzero-wasi-'));
    context.inside = join(context.scratch, 'inside');
    mkdirSync(join(context.inside, 'a', 'b'), { recursive: true });
    mkdirSync(join(context.scratch, 'outside'));
    writeFileSync(join(context.scratch, 'secret'), SECRET);
    writeFileSync(join(context.scratch, 'outside', 'secret'), SECRET);
    writeFileSync(join(context.inside, 'file'), 'inside');
    writeFileSync(join(context.inside, 'a', 'b', 'deep'), 'deep');
    context.reactor = await Reactor.load({ preopens: { '/': context.inside } });
  });

  test.after.each(async ({ reactor, scratch }) => {
    await reactor.program.close();
    rmSync(scratch, { recursive: true });
  });
  return test;
}
