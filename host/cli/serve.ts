// `ringzero serve`: the Redis-compatible server as a process.

import { RingzeroError } from '../errors.ts';
import { absolutePath } from '../platform/node.ts';
import { Log } from '../redis/log.ts';
import { parseArguments } from '../redis/options.ts';
import { RedisServer } from '../redis/server.ts';
import { configFiles } from './config-files.ts';
import { logTarget, removePidFile, writePidFile } from './log-file.ts';

export const SERVE_HELP = `Usage: ringzero serve [FILE | -] [--OPTION VALUE ...]

Runs a Redis-compatible in-memory server in a micro-VM. FILE has the form of redis.conf; - reads it from standard
input. Options are named as redis-server's and win over the file:

  --port N               TCP port, 0 = any free one                   (6379)
  --bind ADDRESS ...     addresses to listen at                       (127.0.0.1)
  --unixsocket PATH      listen at a Unix socket too
  --dir DIRECTORY        where the database file is                   (.)
  --dbfilename NAME      its name                                     (dump.rdb)
  --rdb-skip-unknown-types yes|no  start without keys of types that this server lacks; the file is kept (no)
  --save "SECONDS CHANGES ..."  when to save by itself; "" = never    (3600 1 300 100 60 10000)
  --maxmemory SIZE       limit of the data, such as 512mb; 0 = none   (0)
  --maxmemory-policy P   noeviction, allkeys-lru, allkeys-random, ... (noeviction)
  --requirepass PASSWORD
  --maxclients N                                                      (10000)
  --timeout SECONDS      close clients idle for so long; 0 = never    (0)
  --databases N                                                       (16)
  --loglevel LEVEL       debug, verbose, notice, warning              (notice)
  --logfile FILE         where the log goes                           (standard output)
  --pidfile FILE         the number of the process is written there
  --udf yes|no           UDF.LOAD: users' own functions, docs/udf.md  (no)
  --memory SIZE          memory of the VM, up to 4gb                  (4gb, or 3/4 of the machine)
  --metrics-port N       serve metrics for Prometheus and ringzero top, at /metrics; 0 = any free port
  --metrics-bind ADDRESS where                                        (127.0.0.1)
  --trace FILE           write faults, system calls and interrupts for Perfetto there, docs/observing.md

A quarter of --memory is kept for the kernel and for the copies that a background save needs.
Every other option of redis.conf that applies is known too: docs/redis.md and CONFIG GET * list them.
`;

/** The whole name of the file that options come from; '' where there is none. */
function configFileOf([first = '']: readonly string[]): string {
  return first === '' || first.startsWith('-') ? '' : absolutePath(first);
}

/** Runs until the server ends; resolves with the exit code. */
export async function serveCommand(argv: readonly string[]): Promise<number> {
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
