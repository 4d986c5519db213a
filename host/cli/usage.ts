// Arguments of the commands: errors in them, and one way to read them.

import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Wrong arguments. The command ends with status 2; the message names the argument. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ options: T; strict: true; allowPositionals: true }>
>;

/** Options and positional arguments. Throws UsageError. */
export function parse<T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(inShort((error as Error).message));
  }
}

/** Node's messages, without its advice. */
function inShort(message: string): string {
  const [, unknown] = /^Unknown option '(.*?)'/.exec(message) ?? [];
  if (unknown !== undefined) return `unknown option ${unknown}`;
  const [, missing] =
    /^Option '(?:-\w, )?(--[\w-]+).*' argument (?:missing|is ambiguous)/.exec(message) ?? [];
  if (missing !== undefined) return `option ${missing} needs a value`;
  const [, flag] = /^Option '(?:-\w, )?(--[\w-]+)' does not take an argument/.exec(message) ?? [];
  if (flag !== undefined) return `option ${flag} takes no value`;
  return message;
}

/**
 * Where the options of a command line end: at the first argument that is neither an option nor the value of
 * one, or after `--`.
 */
export function endOfOptions(
  args: readonly string[],
  options: Options,
): [end: number, rest: number] {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const end = tokens.find(({ kind }) => kind !== 'option');
  if (end === undefined) return [args.length, args.length];
  return [end.index, end.kind === 'positional' ? end.index : end.index + 1];
}
