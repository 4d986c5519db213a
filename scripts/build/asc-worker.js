// Compiles guests, one after another: a message is asc's arguments, the answer what it said and which files
// it asked for.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parentPort } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

/** A file appears whole: what runs at the same time never sees half of a module. */
function writeFile(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

async function compile(argv) {
  const inputs = new Set();
  let text = '';
  const stream = { write: (part) => (text += part) };
  const { error } = await asc.main(argv, {
    stdout: stream,
    stderr: stream,
    readFile(name, folder) {
      const path = relative('.', resolve(folder, name));
      if (!path.includes('node_modules')) inputs.add(path);
      return readText(path);
    },
    writeFile,
    listFiles: () => [],
  });
  const said = text.replace(/^Last converge was suboptimal\.\n/m, ''); // Binaryen's, without a remedy
  return { inputs: [...inputs].sort(), text: said, isFailed: error !== null };
}

parentPort.on('message', (argv) => {
  compile(argv).then((result) => parentPort.postMessage(result));
});
