// The tables of a state as JSON. An entry is null, the name of a function, [table, index] where the function
// was when the instance was created, or { is: ..., value: ... } for a plain JavaScript value.

import type { TableEntry, TableState } from '../tables.ts';
import { malformed } from './format.ts';

type Plain = Extract<TableEntry, { value: unknown }>['value'];

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeTables(tables: TableState): Uint8Array {
  const encoded = tables.map((entries) =>
    entries.map((entry) =>
      entry !== null && typeof entry === 'object' && 'value' in entry
        ? { is: typeof entry.value, value: textOf(entry.value) }
        : entry,
    ),
  );
  return encoder.encode(JSON.stringify(encoded));
}

const textOf = (value: Plain): string => (Object.is(value, -0) ? '-0' : String(value));

/** Fails with RZ_FORMAT. */
export function decodeTables(bytes: Uint8Array): TableState {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes.slice()));
  } catch {
    throw malformed('its tables are not JSON');
  }
  if (!Array.isArray(parsed) || !parsed.every(Array.isArray))
    throw malformed('its tables are not lists of entries');
  return parsed.map((entries: unknown[]) => entries.map(entryOf));
}

function entryOf(entry: unknown): TableEntry {
  if (entry === null || typeof entry === 'string') return entry;
  if (Array.isArray(entry) && entry.length === 2 && entry.every(Number.isSafeInteger))
    return entry as [number, number];
  const { is, value } = entry as { is?: unknown; value?: unknown };
  if (typeof value === 'string') {
    if (is === 'undefined') return { value: undefined };
    if (is === 'string') return { value };
    if (is === 'number') return { value: Number(value) };
    if (is === 'boolean') return { value: value === 'true' };
    if (is === 'bigint' && /^-?\d+$/.test(value)) return { value: BigInt(value) };
  }
  throw malformed('a table has an entry of an unknown form');
}
