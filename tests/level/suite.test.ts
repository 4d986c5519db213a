// Goal: abstract-level's own published tests pass. Method: they run in a separate process.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const ASSERTIONS_MIN = 4500;

const tests = suite('abstract-level suite');

tests('every assertion of abstract-level holds', async () => {
  const program = fileURLToPath(new URL('./suite.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const at = output.search(/^not ok/m);
  assert.is(at, -1, output.slice(at, at + 2000));
  assert.is(code, 0);
  const passed = Number(/^# pass\s+(\d+)/m.exec(output)?.[1] ?? 0);
  assert.ok(passed >= ASSERTIONS_MIN, `${passed} assertions passed`);
  console.log(`${passed} assertions passed`);
});

tests.run();
