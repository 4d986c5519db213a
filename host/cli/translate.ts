// `ringzero translate in.wasm -o out.wasm`: a module becomes its main image and, if asked for, its snapshot image.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RingzeroError } from '../errors.ts';
import { translateMain, translateSnapshot, type TranslateOptions } from '../translator/index.ts';

export const TRANSLATE_HELP = `Usage: ringzero translate IN.wasm [-o OUT.wasm] [OPTIONS]

Makes the images of a module that a VM runs: the main image, whose stores are checked, and the snapshot image.

  -o, --output FILE   write the main image there
  --snapshot FILE     write the snapshot image there
  --snapshot-runs NAME
                      an exported function that snapshots run; more than once for more of them. The snapshot image has
                      those, the guest's handlers and what they reach (without it: all functions); see docs/guest.md
  --info FILE         write the facts that loading the images needs there, as JSON
  --zero-filled-memory
                      nothing is in the memory that the module imports before it is there: its data takes less
  --no-safepoints     no polls at loops: the program cannot be interrupted in them
  --no-elision        check every store by itself
  --frames N          frames of 4 KiB of the VM, a multiple of 4096           (65536)
`;

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  snapshot: { type: 'string' },
  'snapshot-runs': { type: 'string', multiple: true },
  info: { type: 'string' },
  'zero-filled-memory': { type: 'boolean' },
  'no-safepoints': { type: 'boolean' },
  'no-elision': { type: 'boolean' },
  frames: { type: 'string' },
} as const;

interface Request {
  readonly input: string;
  readonly output: string | undefined;
  readonly snapshot: string | undefined;
  readonly info: string | undefined;
  readonly options: TranslateOptions;
}

/** Runs the command; the result is the exit status of the process. */
export async function translateCommand(argv: string[]): Promise<number> {
  let request: Request;
  try {
    request = readArguments(argv);
  } catch (error) {
    process.stderr.write(
      `ringzero translate: ${(error as Error).message}; see ringzero translate --help\n`,
    );
    return 2;
  }
  try {
    await run(request);
    return 0;
  } catch (error) {
    const known = error instanceof RingzeroError || (error as { code?: string }).code;
    if (!known) throw error;
    process.stderr.write(`ringzero translate: ${request.input}: ${(error as Error).message}\n`);
    return 1;
  }
}

function readArguments(argv: string[]): Request {
  const { values, positionals } = parseArgs({
    args: argv,
    options: OPTIONS,
    allowPositionals: true,
  });
  const [input, ...rest] = positionals;
  if (input === undefined || rest.length > 0) throw new Error('give one module to translate');
  if (values.output === undefined && values.snapshot === undefined) {
    throw new Error('give -o or --snapshot: where shall the image go?');
  }
  for (const name of ['info', 'snapshot-runs'] as const) {
    if (values[name] !== undefined && values.snapshot === undefined)
      throw new Error(`--${name} goes with --snapshot`);
  }
  const options: TranslateOptions = {
    snapshotRuns: values['snapshot-runs'],
    zeroFilledMemory: values['zero-filled-memory'],
    safepoints: !values['no-safepoints'],
    elision: !values['no-elision'],
    ...(values.frames === undefined ? {} : { frames: Number(values.frames) }),
  };
  return { input, output: values.output, snapshot: values.snapshot, info: values.info, options };
}

async function run({ input, output, snapshot, info, options }: Request): Promise<void> {
  const bytes = new Uint8Array(await readFile(input));
  if (output !== undefined) {
    const { main, statistics } = translateMain(bytes, options);
    await writeFile(output, main);
    const { writes, checks, loops, polls } = statistics;
    report(output, main, `${writes} writes, ${checks} checks, ${loops} loops, ${polls} polls`);
  }
  if (snapshot !== undefined) {
    const translation = translateSnapshot(bytes, options);
    await writeFile(snapshot, translation.snapshot);
    report(snapshot, translation.snapshot, 'snapshot image');
    if (info !== undefined) await writeFile(info, `${JSON.stringify(translation.info, null, 2)}\n`);
  }
}

function report(file: string, image: Uint8Array, what: string): void {
  process.stdout.write(`${file}: ${image.length} bytes, ${what}\n`);
}
