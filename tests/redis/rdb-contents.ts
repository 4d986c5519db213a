// Databases for the tests of RDB files: random ones, and everything in one, in a form to compare.

import { Random } from '../random.ts';
import type { Client } from './harness.ts';
import type { RealRedis } from './real-redis.ts';

export type Word = string | number;
export type Call = (words: Word[]) => Promise<unknown>;

export function callOf(client: Client): Call {
  return (words) => Promise.resolve(client.command(...words));
}

export function callOfReal(server: RealRedis): Call {
  return async (words) => plain(await server.call(...words));
}

function plain(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** Everything in the databases 0 to 3, in one form for both servers. */
export async function contents(call: Call): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let database = 0; database < 4; database++) {
    await call(['SELECT', database]);
    for (const key of (await call(['KEYS', '*'])) as string[]) {
      const isHash = (await call(['TYPE', key])) === 'hash';
      const value = (await call([isHash ? 'HGETALL' : 'GET', key])) as string | string[];
      const pairs = Array.isArray(value)
        ? value.flatMap((text, i) => (i % 2 ? [] : [`${text}\n${value[i + 1]}`])).sort()
        : value;
      const expires = await call(['PEXPIRETIME', key]);
      const encoding = await call(['OBJECT', 'ENCODING', key]);
      found.set(`${database} ${key}`, [pairs, expires, encoding]);
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function textOf(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return String(random.pick([0, 1, -1, 127, 128, -129, 32767, 32768, 2147483647, -2147483648]));
    case 1:
      return String(
        random.pick([2147483648n, -2147483649n, 9223372036854775807n, -9223372036854775808n]),
      );
    case 2:
      return 'abc'.repeat(random.below(1000));
    case 3:
      return random.pick(['', '007', '-0', '1.5', ' 1']);
    default: {
      let text = '';
      const symbols = random.pick([2, 26, 256]);
      for (let i = random.below(random.chance(0.1) ? 20000 : 80); i > 0; i--)
        text += String.fromCharCode(random.below(symbols));
      return text;
    }
  }
}

export function randomCommands(random: Random): Word[][] {
  const commands: Word[][] = [];
  for (let i = 0; i < 400; i++) {
    if (random.chance(0.05)) commands.push(['SELECT', random.below(4)]);
    const key = random.chance(0.1) ? textOf(random) : `key:${random.below(1000)}`;
    commands.push(['DEL', key]);
    if (random.chance(0.6)) commands.push(['SET', key, textOf(random)]);
    else {
      const fields = random.pick([1, 2, 10, 100, 600]);
      for (let k = 0; k < fields; k++) {
        const isLong = random.chance(0.2);
        commands.push([
          'HSET',
          key,
          random.chance(0.8) ? `f${k}` : `${k}`,
          isLong ? textOf(random) : k,
        ]);
      }
    }
    if (random.chance(0.3)) commands.push(['PEXPIRE', key, 100000 + random.below(1e9)]);
  }
  return commands;
}
