// Options of the server, as redis-server takes them: a file, then `--name value ...` pairs that win over it.

import { RingzeroError } from '../errors.ts';

/** Options in the order given: lower-case name, its value as one line, and where it was given, for messages. */
export type OptionList = [name: string, value: string, place: string][];

/** Reads a configuration file; relative `include` paths are the reader's business. */
export type ReadConfig = (path: string) => string;

/** Names whose values add up when they are given more than once. */
const ADDITIVE = new Set(['save', 'bind', 'client-output-buffer-limit']);
const INCLUDE_DEPTH_MAX = 16;

/**
 * Options of the command line `[file | -] [--name value ...]`.
 * Throws RZ_OPTION with the line or argument that is wrong.
 */
export function parseArguments(argv: readonly string[], read: ReadConfig): OptionList {
  const rest = [...argv];
  const list: OptionList = [];
  const first = rest[0];
  if (first !== undefined && (!first.startsWith('-') || first === '-')) {
    rest.shift();
    list.push(...parseFile(read(first), first, read));
  }
  const fromLine: OptionList = [];
  while (rest.length > 0) {
    const name = rest.shift()!;
    if (!name.startsWith('--') || name.length < 3) {
      throw new RingzeroError(
        'RZ_OPTION',
        `'${name}' is no option; options are given as --name value`,
      );
    }
    const values: string[] = [];
    const [key, inline] = name.slice(2).split(/=(.*)/s, 2) as [string, string?];
    if (inline !== undefined) values.push(inline);
    while (rest.length > 0 && !rest[0]!.startsWith('--')) values.push(rest.shift()!);
    if (values.length === 0) throw new RingzeroError('RZ_OPTION', `option '${name}' needs a value`);
    fromLine.push([
      key.toLowerCase(),
      values.join(' '),
      `On the command line\n>>> '${isSecret(key) ? `--${key} (redacted)` : [name, ...values].join(' ')}'`,
    ]);
  }
  const given = new Set(fromLine.map(([name]) => name));
  return merge([...list.filter(([name]) => !given.has(name)), ...fromLine]);
}

/** Options of a file in redis.conf's form: one a line, `#` comments, values quoted as in shells. */
export function parseFile(text: string, path: string, read: ReadConfig, depth = 0): OptionList {
  if (depth > INCLUDE_DEPTH_MAX)
    throw new RingzeroError('RZ_OPTION', `${path}: includes nest too deep`);
  const list: OptionList = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const words = splitWords(trimmed);
    const shown = isSecret(words?.[0]) ? `${words![0]} (redacted)` : trimmed;
    const place = `Reading the configuration file ${path}, at line ${index + 1}\n>>> '${shown}'`;
    if (words === undefined) throw optionError(place, 'Unbalanced quotes in configuration line');
    const [name = '', ...values] = words;
    if (values.length === 0) throw optionError(place, 'Bad directive or wrong number of arguments');
    if (name.toLowerCase() === 'include') {
      for (const file of values) list.push(...parseFile(read(file), file, read, depth + 1));
    } else list.push([name.toLowerCase(), values.join(' '), place]);
  }
  return list;
}

const SECRETS = new Set([
  'requirepass',
  'masterauth',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
]);

/** Whether the value of an option is a password, which no message may show. */
function isSecret(name: string | undefined): boolean {
  return name !== undefined && SECRETS.has(name.toLowerCase());
}

/** RZ_OPTION, said as redis-server says it: where, and why. */
export function optionError(place: string, why: string): RingzeroError {
  return new RingzeroError('RZ_OPTION', `${place}\n${why}`);
}

/** Later values replace earlier ones, except where they add up; an empty value starts anew. */
function merge(list: OptionList): OptionList {
  const merged = new Map<string, OptionList[number]>();
  for (const [name, value, place] of list) {
    const before = merged.get(name)?.[1];
    const adds = ADDITIVE.has(name) && before !== undefined && before !== '' && value !== '';
    merged.set(name, [name, adds ? `${before} ${value}` : value, place]);
  }
  return [...merged.values()];
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** Words of a line; "..." with escapes, '...' without; undefined when a quote is not closed. */
function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|([^\s"']\S*))/gy;
  let end = 0;
  for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
    end = pattern.lastIndex;
    const [, double, single, plain] = match;
    if (double !== undefined) words.push(unescape(double));
    else words.push(single !== undefined ? single.replace(/\\'/g, "'") : plain!);
    if (end === line.length) break;
  }
  return line.slice(end).trim() === '' ? words : undefined;
}

function unescape(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(parseInt(hex, 16)),
  );
}

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 2 ** 10,
  m: 1e6,
  mb: 2 ** 20,
  g: 1e9,
  gb: 2 ** 30,
};

/** Bytes of a size such as `512mb` or `4gb`, as redis.conf has them. */
export function parseBytes(name: string, text: string): number {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match === null ? undefined : UNITS[match[2]!.toLowerCase()];
  if (match === null || unit === undefined) {
    throw new RingzeroError(
      'RZ_OPTION',
      `option '${name}' is '${text}'; give a size such as 512mb or 4gb`,
    );
  }
  return Number(match[1]) * unit;
}
