// Replies of the guest and of a real server in one form, so that they can be compared.

import { type Reply as GuestReply } from './harness.ts';
import { RedisError } from './resp.ts';
import type { Reply } from './real-redis.ts';

export type Plain = string | number | null | { error: string } | Plain[];

export function plain(reply: Reply | GuestReply): Plain {
  if (Buffer.isBuffer(reply)) return reply.toString();
  if (reply instanceof RedisError) return { error: reply.message };
  if (Array.isArray(reply)) return reply.map(plain);
  if (reply instanceof Map) return [...reply].flat().map((part) => plain(part as Reply));
  return typeof reply === 'bigint' || typeof reply === 'boolean' ? String(reply) : reply;
}

/** The words of a line; quotes protect blanks. */
export function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}
