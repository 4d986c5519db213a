// A process that opens a fork at an address, and runs code on it.

import { live } from '@electric-sql/pglite/live';
import { openFork } from '../../host/pglite/index.ts';

const [address, code] = process.argv.slice(2);
const fork = await openFork(address!, { extensions: { live } });
const AsyncFunction = (async () => {}).constructor as new (
  ...words: string[]
) => (value: unknown) => Promise<void>;
await new AsyncFunction('fork', code!)(fork);
