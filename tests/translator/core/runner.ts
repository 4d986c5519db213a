// Runs a script in all worlds and says where one differs from the untranslated.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RingzeroError } from '../../../host/errors.ts';
import { translate } from '../../../host/translator/index.ts';
import {
  caller,
  hostValues,
  resultText,
  type Action,
  type Command,
  type Script,
} from './script.ts';
import { mainWorld, plainWorld, snapshotWorld, type World } from './worlds.ts';

export interface Outcome {
  /** Commands that were compared. */
  compared: number;
  /** Commands about the text format, which is not ours. */
  textual: number;
  /** Line, world, what is expected and what came. */
  differences: string[];
  /** Modules that import another's memory: a VM has one of its own. They are not run. */
  sharing: number;
  /** Modules that the translator refuses on purpose, by why. */
  refused: Map<string, number>;
}

const WORLDS = { plain: plainWorld, main: mainWorld, snapshot: snapshotWorld };
type Name = keyof typeof WORLDS;

export function runScript(path: string): Outcome {
  const { commands } = JSON.parse(readFileSync(path, 'utf8')) as Script;
  const worlds = Object.fromEntries(
    Object.entries(WORLDS).map(([name, make]) => [name, make()]),
  ) as Record<Name, World>;
  const outcome: Outcome = {
    compared: 0,
    textual: 0,
    differences: [],
    sharing: 0,
    refused: new Map(),
  };
  const bytesOf = (command: Command): Uint8Array =>
    readFileSync(join(dirname(path), command.filename!));
  const compare = ({ line, type }: Command, body: (world: World) => string | undefined): void => {
    const expected = attempt(() => body(worlds.plain));
    if (expected === ABSENT) return;
    for (const name of ['main', 'snapshot'] as const) {
      const found = attempt(() => body(worlds[name]));
      if (found === ABSENT) return;
      if (found.startsWith('refused: ')) {
        outcome.refused.set(found, (outcome.refused.get(found) ?? 0) + 1);
        return;
      }
      if (found !== expected)
        outcome.differences.push(`${line}: ${type} in ${name}: ${found}, not ${expected}`);
    }
    outcome.compared++;
  };
  for (const command of commands) {
    const { type, name, as, action, expected } = command;
    if (type === 'module' && sharesMemory(bytesOf(command), type)) {
      outcome.sharing++;
      for (const world of Object.values(worlds)) world.forget(name);
    } else if (type === 'module')
      compare(command, (world) => void world.instantiate(bytesOf(command), name));
    else if (type === 'register')
      for (const world of Object.values(worlds)) world.register(as!, name);
    else if (action !== undefined) {
      const run = runOf(action, expected ?? []);
      compare(command, run);
    } else if (type === 'assert_invalid' || type === 'assert_malformed') {
      if (command.module_type === 'text') outcome.textual++;
      else {
        outcome.compared++;
        const bytes = bytesOf(command);
        const found = attempt(() => void translate(bytes));
        // By now: an older script may say that it is not.
        const isValid = WebAssembly.validate(bytes as BufferSource);
        if (!isValid && !found.startsWith('refused: '))
          outcome.differences.push(`${command.line}: ${type}: ${found}, not refused`);
      }
    } else if (/^assert_(uninstantiable|unlinkable|trap)$/.test(type)) {
      const bytes = bytesOf(command);
      if (!sharesMemory(bytes, type)) compare(command, (world) => void world.try(bytes));
    } else throw new Error(`${path}:${command.line}: a command ${type}`);
  }
  return outcome;
}

/** A VM has a memory of its own, whatever the module asks for. */
function sharesMemory(bytes: Uint8Array, type: string): boolean {
  if (!WebAssembly.validate(bytes as BufferSource)) return false; // so it will not be instantiated either
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes as BufferSource));
  const isOwn = type === 'assert_unlinkable' ? '' : 'spectest';
  return imports.some(({ kind, module }) => kind === 'memory' && module !== isOwn);
}

const ABSENT = 'no module';

class Absent extends Error {}

function runOf(
  action: Action,
  expected: NonNullable<Command['expected']>,
): (world: World) => string {
  const { args = [], field, module: name } = action;
  const around =
    action.type === 'invoke' && new WebAssembly.Module(caller(args, expected) as BufferSource);
  return (world) => {
    const exports = world.module(name);
    if (exports === undefined) throw new Absent();
    const found = exports[field];
    if (!around) return resultText(valueOf(found as WebAssembly.Global, expected[0]!), expected);
    const { run } = new WebAssembly.Instance(around, { m: { f: found! } }).exports;
    return resultText((run as (...args: unknown[]) => unknown)(...hostValues(args)), expected);
  };
}

/** Value of a global as a caller's result would be. */
function valueOf(
  global: WebAssembly.Global,
  { type }: NonNullable<Command['expected']>[0],
): unknown {
  const value = global.value as number | bigint;
  if (type === 'f32') return new Uint32Array(Float32Array.of(Number(value)).buffer)[0];
  if (type === 'f64') return new BigUint64Array(Float64Array.of(Number(value)).buffer)[0];
  return value;
}

/** What came of it, or why nothing did. */
function attempt(body: () => string | undefined): string {
  try {
    return body() ?? 'done';
  } catch (error) {
    if (error instanceof Absent) return ABSENT;
    if (error instanceof RingzeroError) return `refused: ${error.code}: ${error.message}`;
    if (error instanceof WebAssembly.RuntimeError) return 'trap';
    if (error instanceof WebAssembly.LinkError) return 'link error';
    if (error instanceof RangeError) return 'exhaustion';
    return String(error);
  }
}
