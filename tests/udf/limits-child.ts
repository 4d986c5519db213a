// Compiles and calls functions of random shapes, and says how much memory the process has taken: a process of
// its own.

import { RingzeroError, Udf } from '../../host/index.ts';
import { Random } from '../random.ts';
import { moduleOf, randomShape, type Shape } from './shapes.ts';

const [seed, rounds] = process.argv.slice(2).map(Number);
const random = new Random(seed!);
const row = new Uint8Array(8);
const before = process.memoryUsage().rss;
const known: Shape[] = [
  { kind: 'ifs', values: 49_990, times: 500 },
  { kind: 'ifs', values: 49_990, times: 3000 },
  { kind: 'calls', values: 1000, times: 100_000 },
  { kind: 'operands', values: 49_990, times: 30_000 },
];
let [accepted, refused] = [0, 0];
for (let i = 0; i < rounds!; i++) {
  try {
    const udf = Udf.compile(moduleOf(known[i] ?? randomShape(random)), { fuel: 1e6 });
    for (let call = 0; call < 3; call++) udf.call(row);
    accepted++;
  } catch (error) {
    if (!(error instanceof RingzeroError)) throw error;
    if (error.code === 'RZ_UDF_REFUSED') refused++;
    else if (error.code !== 'RZ_UDF_LIMIT' && error.code !== 'RZ_UDF_TRAP') throw error;
  }
}
const grown = process.resourceUsage().maxRSS * 1024 - before;
console.log(JSON.stringify({ accepted, refused, grownMiB: Math.round(grown / 2 ** 20) }));
