// abstract-level's own published tests on RingzeroLevel: a separate program, whose exit code is the result.

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RingzeroLevel, type RingzeroOptions } from '../../host/level/index.ts';

type Harness = ((name: string, body: unknown) => void) & { onFinish(then: () => void): void };
type Suite = (options: {
  test: Harness;
  factory(options?: RingzeroOptions<string, string>): unknown;
}) => void;

const require = createRequire(import.meta.url);
const test = require('tape') as Harness;
const suite = require('abstract-level/test') as Suite;

const root = mkdtempSync(join(tmpdir(), 'ringzero-suite-'));
let stores = 0;
suite({
  test,
  // No options but the tests' own: some compare the arguments of a hook.
  factory: (options) => new RingzeroLevel(join(root, String(stores++)), options),
});
test.onFinish(() => rmSync(root, { recursive: true, force: true }));
