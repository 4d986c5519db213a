// Options of the server, as redis-server takes them: a file, then `--name value ...` pairs that win over it.

import { RingzeroError } from '../errors.ts';

/**
 * One option: lower-case name, its value as one line, where it was given, for messages, and whether its value
 * is missing.
 */
export type Option = [name: string, value: string, place: string, isMissing?: boolean];
export type OptionList = Option[];

/**
 * The files that options come from. Both throw if the file does not exist; relative paths start at the
 * working directory.
 */
export interface ConfigFiles {
  read(path: string): string;
  /** The files that a pattern with `*`, `?` or `[` names, in order; there may be none. */
  match(pattern: string): string[];
}

/** Names whose values add up when they are given more than once. */
const ADDITIVE = new Set(['save', 'client-output-buffer-limit']);
/** Names of which each line is an option of its own. */
const REPEATED = new Set(['rename-command']);
const INCLUDE_DEPTH_MAX = 16;
export const BAD_DIRECTIVE = 'Bad directive or wrong number of arguments';

/**
 * Options of the command line `[file | -] [--name value ...]`, read as redis-server does: the word behind a
 * name is its value whatever it begins with, `"--name value"` may be one word, and --save without a value
 * saves never. Throws RZ_OPTION with the line or argument that is wrong.
 */
export function parseArguments(argv: readonly string[], files: ConfigFiles): OptionList {
  const rest = [...argv];
  const list: OptionList = [];
  const first = rest[0];
  if (first !== undefined && (!first.startsWith('-') || first === '-')) {
    rest.shift();
    list.push(...parseFile(readConfig(files, first), first, files));
  }
  while (rest.length > 0) {
    const option = nextOption(rest);
    const [name, value, , isMissing] = option;
    if (name === 'include' && !isMissing) list.push(...included(value, files, 1));
    else list.push(option);
  }
  return merge(list);
}

function nextOption(rest: string[]): Option {
  const word = rest.shift()!;
  if (!word.startsWith('--') || word.length < 3)
    throw new RingzeroError(
      'RZ_OPTION',
      `'${word}' is not an option; options are given as --name value`,
    );
  const [named = '', ...values] = /\s/.test(word) ? (splitWords(word) ?? [word]) : [word];
  const [key = '', inline] = named.slice(2).split(/=(.*)/s, 2) as [string?, string?];
  if (inline !== undefined) values.unshift(inline);
  const name = key.toLowerCase();
  const next = rest[0];
  const savesNever = name === 'save' && (next === undefined || next.startsWith('--'));
  if (values.length === 0 && next !== undefined && !savesNever) values.push(rest.shift()!);
  while (values.length > 0 && rest.length > 0 && !rest[0]!.startsWith('--'))
    values.push(rest.shift()!);
  const shown = isSecret(name) ? `${named} (redacted)` : [named, ...values].join(' ');
  const place = `On the command line\n>>> '${shown}'`;
  return [name, values.join(' '), place, values.length === 0 && !savesNever];
}

/** The text of a file, or RZ_OPTION in Redis's words. */
function readConfig(files: ConfigFiles, path: string): string {
  try {
    return files.read(path);
  } catch (error) {
    const why =
      (error as { code?: unknown }).code === 'ENOENT'
        ? 'No such file or directory'
        : String((error as Error).message);
    throw new RingzeroError('RZ_OPTION', `Fatal error, can't open config file '${path}': ${why}`, {
      cause: error,
    });
  }
}

/** Options of a file in redis.conf's form: one a line, `#` comments, values quoted as in shells. */
function parseFile(text: string, path: string, files: ConfigFiles, depth = 0): OptionList {
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
    if (values.length === 0) throw optionError(place, BAD_DIRECTIVE);
    if (name.toLowerCase() !== 'include') {
      list.push([name.toLowerCase(), values.join(' '), place]);
      continue;
    }
    if (values.length > 1) throw optionError(place, BAD_DIRECTIVE);
    list.push(...included(values[0]!, files, depth + 1));
  }
  return list;
}

/** Options of the file that `include` names, or of the files of its pattern. */
function included(pattern: string, files: ConfigFiles, depth: number): OptionList {
  const paths = /[*?[]/.test(pattern) ? files.match(pattern) : [pattern];
  return paths.flatMap((path) => parseFile(readConfig(files, path), path, files, depth));
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

/** Later values replace earlier ones, except where they add up. */
function merge(list: OptionList): OptionList {
  const merged = new Map<string, Option>();
  for (const [index, [name, value, place, isMissing]] of list.entries()) {
    const before = merged.get(name)?.[1] ?? '';
    const isMore = ADDITIVE.has(name) && value !== ''; // an empty `save` takes back those before it
    const whole = isMore ? `${before} ${value}`.trim() : value;
    merged.set(REPEATED.has(name) ? `${name} ${index}` : name, [name, whole, place, isMissing]);
  }
  return [...merged.values()];
}

const ESCAPES = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['a', '\x07'],
]);

/** Words of a line; "..." with escapes, '...' without; undefined when a quote is not closed. */
export function splitWords(line: string): string[] | undefined {
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
    hex === undefined ? (ESCAPES.get(char) ?? char) : String.fromCharCode(parseInt(hex, 16)),
  );
}

const UNITS = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1e3],
  ['kb', 2 ** 10],
  ['m', 1e6],
  ['mb', 2 ** 20],
  ['g', 1e9],
  ['gb', 2 ** 30],
]);

/** Bytes of a size such as `512mb` or `4gb`, as redis.conf has them. */
export function parseBytes(name: string, text: string): number {
  const match = /^(\d+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match === null ? undefined : UNITS.get(match[2]!.toLowerCase());
  if (match === null || unit === undefined) {
    throw new RingzeroError(
      'RZ_OPTION',
      `option '${name}' is '${text}'; give a size such as 512mb or 4gb`,
    );
  }
  return Number(match[1]) * unit;
}
