// Options of the server that the host checks, or applies itself.

import { RingzeroError } from '../errors.ts';
import { absolutePath, isDirectory, totalMemory } from '../platform/node.ts';
import type { Log } from './log.ts';
import { BAD_DIRECTIVE, optionError, parseBytes, type Option, type OptionList } from './options.ts';

const PORT_MAX = 65535;
const MEMORY_MAX = 2 ** 32;
const MEMORY_STEP = 2 ** 24;
/** Share of the VM's memory for data; the rest is for the kernel and for copies during a save. */
export const GUEST_SHARE = 0.75;

export const DEFAULTS = {
  port: '6379',
  bind: '127.0.0.1',
  dir: './',
  dbfilename: 'dump.rdb',
  databases: '16',
  'metrics-bind': '127.0.0.1',
};

/** Options that the guest does not know. */
export const HOST_OPTIONS = new Set(['memory', 'metrics-port', 'metrics-bind', 'trace', 'udf']);

/** The value that takes effect; warns when it differs from the given one. */
export function acceptedOption(name: string, value: string, log: Log): string {
  const given = value.toLowerCase();
  if (name === 'daemonize' && given === 'yes') {
    log.warning(
      'daemonize yes has no effect: the server stays in the foreground. ' +
        'Let a service manager run it, or nohup and &.',
    );
    return 'no';
  }
  if (name === 'supervised' && /^(systemd|upstart|auto)$/.test(given)) {
    const isCalled = given !== 'auto' || isSupervised();
    if (isCalled)
      log.warning(
        `supervised ${given} has no effect: nothing tells the service manager that the server is ready. ` +
          'Use Type=simple or Type=exec.',
      );
    return 'no';
  }
  return value;
}

const UNSUPPORTED = new Set(['loadmodule', 'user', 'redis-sentinel', 'sentinel']);

/** Why an option is refused, in words for the place where it was given. */
export function refusedOption(
  [name, , place, isMissing]: Option,
  refusal: string | undefined,
): Error {
  const isKnown = HOST_OPTIONS.has(name) || refusal !== BAD_DIRECTIVE;
  if (!isKnown && UNSUPPORTED.has(name))
    return optionError(place, `'${name}' is not supported by this server, see docs/redis.md`);
  if (!isKnown && place.startsWith('On the command line'))
    return optionError(place, `unknown option --${name}; see ringzero serve --help`);
  return optionError(place, isMissing ? `option '--${name}' needs a value` : refusal!);
}

/** Absolute path of the directory that the guest may use; RZ_OPTION when it does not exist. */
export function directoryOption(list: OptionList): string {
  const given = list.find(([name]) => name === 'dir');
  const path = absolutePath(given?.[1] ?? DEFAULTS.dir);
  if (!isDirectory(path)) throw optionError(given?.[2] ?? path, `Directory ${path} does not exist`);
  return path;
}

export function checkMetricsPort(list: OptionList): void {
  const given = list.find(([name, , , isMissing]) => name === 'metrics-port' && !isMissing);
  if (given === undefined) return;
  const [, value, place] = given;
  if (!/^\d{1,5}$/.test(value) || Number(value) > PORT_MAX)
    throw optionError(place, `argument must be between 0 and ${PORT_MAX}; 0 is any free port`);
}

/** Whether a service manager started this process and waits for its notification. */
function isSupervised(): boolean {
  return process.env['NOTIFY_SOCKET'] !== undefined || process.env['UPSTART_JOB'] !== undefined;
}

/** Whether clients may load functions. */
export function udfOption(list: OptionList): boolean {
  const given = list.find(([name]) => name === 'udf');
  if (given === undefined) return false;
  const [, value, place] = given;
  if (value !== 'yes' && value !== 'no') throw optionError(place, "argument must be 'yes' or 'no'");
  return value === 'yes';
}

/** VM memory: the option, or 4 GiB if that is at most three quarters of the machine's memory. */
export function memoryOption(text: string | undefined): number {
  const wanted =
    text === undefined ? Math.min(MEMORY_MAX, totalMemory() * 0.75) : parseBytes('memory', text);
  if (wanted < MEMORY_STEP * 2 || wanted > MEMORY_MAX) {
    throw new RingzeroError(
      'RZ_OPTION',
      `option 'memory' is '${text ?? wanted}'; allowed: 32mb to 4gb`,
    );
  }
  return Math.floor(wanted / MEMORY_STEP) * MEMORY_STEP;
}
