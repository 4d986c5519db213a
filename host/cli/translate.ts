// `ringzero translate IN.wasm -o OUT.wasm`: makes the main image of a module and, on request, its snapshot
// image.

import { readFile, writeFile } from 'node:fs/promises';
import { RingzeroError } from '../errors.ts';
import { translateMain, translateSnapshot, type TranslateOptions } from '../translator/index.ts';
import { parse, UsageError } from './usage.ts';

const HELP = `Usage: ringzero translate IN.wasm [-o OUT.wasm] [OPTIONS]

Translates a module ahead of time. A VM runs two images of it: the main image, with write checks, and the snapshot
image, which reads memory through a snapshot's page table.

Options:
  -o, --output FILE     write the main image
  --snapshot FILE       write the snapshot image
  --snapshot-runs NAME  an exported function that snapshots run; may be repeated. The snapshot image then has only
                        these functions, the guest's handlers, and what they reach   (all functions)
  --info FILE           write metadata that loading the images needs, as JSON
  --zero-filled-memory  assume that imported memory is zero-filled: makes data segments smaller
  --no-safepoints       no polls in loops: the program cannot be interrupted inside a loop
  --no-elision          check every store on its own
  --frames N            physical memory of the VM in frames of 4 KiB, a multiple of 4096   (65536)

Example:
  ringzero translate guest.wasm -o guest.main.wasm --snapshot guest.snapshot.wasm --info guest.json

More: docs/guest.md, docs/translator.md
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

async function translateCommand(argv: readonly string[]): Promise<number> {
  const request = readArguments(argv);
  try {
    await run(request);
    return 0;
  } catch (error) {
    const known = error instanceof RingzeroError || (error as { code?: string }).code;
    if (!known) throw error;
    // The system names the file itself.
    const about = error instanceof RingzeroError ? `${request.input}: ` : '';
    process.stderr.write(`ringzero translate: ${about}${(error as Error).message}\n`);
    return 1;
  }
}

export const TRANSLATE = { run: translateCommand, help: HELP };

function readArguments(argv: readonly string[]): Request {
  const { values, positionals } = parse(argv, OPTIONS);
  const [input, ...rest] = positionals;
  if (input === undefined || rest.length > 0) throw new UsageError('give one module to translate');
  if (values.output === undefined && values.snapshot === undefined) {
    throw new UsageError('nothing to write: give -o FILE or --snapshot FILE');
  }
  for (const name of ['info', 'snapshot-runs'] as const) {
    if (values[name] !== undefined && values.snapshot === undefined)
      throw new UsageError(`--${name} needs --snapshot`);
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
