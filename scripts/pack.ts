// `node dist/scripts/pack.js FILE`: FILE.br beside it, packed by Brotli. The Redis guest ships so; host/platform/packed.ts unpacks it.

import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name the file to pack');
const bytes = readFileSync(file);
const packed = brotliCompressSync(bytes);
writeFileSync(`${file}.br`, packed);
console.log(`${file}.br: ${packed.length} of ${bytes.length} bytes`);
