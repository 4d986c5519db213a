// `ringzero serve`: the Redis-compatible server as a process.

import { RingzeroError } from '../errors.ts';
import { absolutePath } from '../platform/node.ts';
import { Log } from '../redis/log.ts';
import { parseArguments } from '../redis/options.ts';
import { RedisServer } from '../redis/server.ts';
import { configFiles } from './config-files.ts';
import { logTarget, removePidFile, writePidFile } from './log-file.ts';

const HELP = `Usage: ringzero serve [FILE | -] [--OPTION VALUE ...]

Runs a Redis-compatible in-memory server in a micro-VM. Its BGSAVE works on a snapshot and does
not stop clients. FILE has the format of redis.conf; - reads it from standard input. Options have
redis-server's names and override FILE.

Options:
  --port N               TCP port, 0 = any free one                   (6379)
  --bind ADDRESS ...     addresses to listen on                       (127.0.0.1)
  --unixsocket PATH      also listen on a Unix socket
  --dir DIRECTORY        directory of the database file               (.)
  --dbfilename NAME      name of the database file                    (dump.rdb)
  --rdb-skip-unknown-types yes|no  skip keys of types that this server does not have; keeps the file (no)
  --save "SECONDS CHANGES ..."  when to save automatically; "" = never  (3600 1 300 100 60 10000)
  --maxmemory SIZE       limit for the data, such as 512mb; 0 = none  (0)
  --maxmemory-policy P   noeviction, allkeys-lru, allkeys-random, ... (noeviction)
  --requirepass PASSWORD
  --maxclients N                                                      (10000)
  --timeout SECONDS      disconnect clients idle that long; 0 = never (0)
  --databases N                                                       (16)
  --loglevel LEVEL       debug, verbose, notice, warning              (notice)
  --logfile FILE         append the log to a file                     (standard output)
  --pidfile FILE         write the process id to a file
  --udf yes|no           allow UDF.LOAD: sandboxed user functions     (no)
  --memory SIZE          memory of the VM, up to 4gb                  (4gb, or 3/4 of the machine)
  --metrics-port N       serve /metrics for Prometheus and ringzero top; 0 = any free port
  --metrics-bind ADDRESS address of the metrics endpoint              (127.0.0.1)
  --trace FILE           write a trace of faults, system calls and interrupts for Perfetto

A quarter of --memory is reserved for the kernel and for the page copies of a background save.

Example:
  ringzero serve --port 7777 --dir data --maxmemory 512mb --metrics-port 9121

More: docs/redis.md lists commands, every option of redis.conf, and differences from redis-server.
`;

/** Absolute path of the configuration file; '' when there is none. */
function configFileOf([first = '']: readonly string[]): string {
  return first === '' || first.startsWith('-') ? '' : absolutePath(first);
}

/** Runs until the server ends; resolves with the exit status. */
async function serveCommand(argv: readonly string[]): Promise<number> {
  try {
    const options = parseArguments(argv, configFiles);
    const given = new Map(options.map(([name, value]) => [name, value]));
    const log = new Log(logTarget(given.get('logfile') ?? ''), process.pid);
    const server = await RedisServer.create(options, log, configFileOf(argv));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        log.warning(`Received ${signal} scheduling shutdown...`);
        server.shutdown(signal);
      });
    }
    const pidFile = given.get('pidfile') ?? '';
    if (pidFile !== '') {
      const failure = writePidFile(pidFile);
      if (failure !== undefined) log.warning(`Failed to write PID file: ${failure}`);
    }
    try {
      const exitCode = await server.run();
      log.warning('ringzero is now ready to exit, bye bye...');
      return exitCode;
    } finally {
      if (pidFile !== '') removePidFile(pidFile);
    }
  } catch (error) {
    if (!(error instanceof RingzeroError) && (error as { code?: unknown }).code === undefined)
      throw error;
    const { code, message } = error as RingzeroError;
    const what = code === 'RZ_OPTION' ? 'FATAL CONFIG FILE ERROR' : 'FATAL ERROR';
    process.stderr.write(`\n*** ${what} ***\n${message}\n`);
    return 1;
  }
}

export const SERVE = { run: serveCommand, help: HELP };
