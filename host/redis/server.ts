// The Redis-compatible server: a VM with the Redis guest, sockets in front of it.

import {
  EVENT_CLOSE,
  EVENT_OPTION,
  EVENT_SHUTDOWN,
  FLAG_EVENTS,
  PROGRESS_SAVE,
  REDIS_VERSION,
  SHUTDOWN_SIGINT,
  SHUTDOWN_SIGTERM,
} from '../../guest/redis/abi.ts';
import { ENOENT } from '../../assembly/abi/errno.ts';
import { RingzeroError } from '../errors.ts';
import { descriptors } from '../platform/descriptors.ts';
import { keepFile, removeTemporaryFiles } from '../platform/keep-file.ts';
import { listen, type Connection, type ListenAt, type Listener } from '../platform/sockets.ts';
import { absolutePath, isDirectory, totalMemory } from '../platform/node.ts';
import type { TextServer } from '../platform/http.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import { exposition, metricsOf } from '../vm/stats.ts';
import { rewriteFile } from './config-rewrite.ts';
import { logStart, processTitle, type Facts } from './face.ts';
import { RedisGuest } from './guest.ts';
import { redisImages } from './images.ts';
import { imports, type ServerFacts } from './imports.ts';
import { serverMetrics } from './metrics.ts';
import { LOG_LEVELS, type Log, type LogLevel } from './log.ts';
import { BAD_DIRECTIVE, optionError, parseBytes, type Option, type OptionList } from './options.ts';
import { Session, type SessionOwner } from './session.ts';

/** Of the file, before clients are looked at again: as Redis' loading-process-events-interval-bytes. */
const LOAD_BYTES = 2 ** 21;
const PORT_MAX = 65535;
const MEMORY_MAX = 2 ** 32;
const MEMORY_STEP = 2 ** 24;
/** As redis-server's CONFIG_MIN_RESERVED_FDS: for files, beside what is open when the server starts. */
const DESCRIPTORS_RESERVED = 32;
/** Slots of clients are numbers of 24 bits in events. */
const CLIENTS_MAX = 2 ** 24 - 1;
/** Of the VM, for data; the rest is for the kernel and for copies while a save runs. */
const GUEST_SHARE = 0.75;
const DEFAULTS = {
  port: '6379',
  bind: '127.0.0.1',
  dir: './',
  dbfilename: 'dump.rdb',
  databases: '16',
  'metrics-bind': '127.0.0.1',
};

/** Options of the server that are not the guest's. */
const HOST_OPTIONS = new Set(['memory', 'metrics-port', 'metrics-bind', 'trace', 'udf']);

export class RedisServer implements SessionOwner {
  readonly guest: RedisGuest;
  readonly #vm: MicroVM;
  readonly #log: Log;
  readonly #facts: ServerFacts;
  readonly #options: Map<string, string>;
  readonly #sessions = new Map<number, Session>();
  readonly #listeners: Listener[] = [];
  #metricsServer: TextServer | undefined;
  #cron: NodeJS.Timeout | undefined;
  #hz = 0; // of #cron
  #keepAliveSeconds = 300;
  #isClosed = false;
  #isRunning = false;
  #configFile = '';
  readonly #ended: Promise<number>;
  #end!: (exitCode: number) => void;

  /**
   * A server with these options, for run(). CONFIG REWRITE writes to `configFile`, where one is given.
   * Rejects with RZ_OPTION for an option that is unknown or wrong.
   */
  static async create(list: OptionList, log: Log, configFile = ''): Promise<RedisServer> {
    const options = new Map(list.map(([name, value]) => [name, value]));
    const memory = memoryOption(options.get('memory'));
    checkMetricsPort(list);
    const facts: ServerFacts = {
      port: 0,
      sockets: 0,
      snapshotUs: 0,
      vmBytes: memory,
      savedPerMille: 0,
      rewriteConfig: (options) => rewriteFile(configFile, options, log),
      functions: udfOption(list) ? (await import('./functions.ts')).Functions : undefined, // and the translator
    };
    const vm = await MicroVM.create({
      guest: redisImages(),
      memory,
      guestLimit: memory * GUEST_SHARE,
      imports: (context) => imports(context, facts),
      importsModule: new URL('./imports.js', import.meta.url).href,
      preopen: directoryOption(list),
      snapshotsInBackground: true,
      ...(options.has('trace') && { trace: options.get('trace')! }),
      sink: {
        log: (level, text) => log.write(level, text),
        progress: (what, perMille) => {
          if (what === PROGRESS_SAVE) facts.savedPerMille = perMille;
          log.progress(what, perMille);
        },
      },
    });
    const server = new RedisServer(vm, options, facts, log);
    try {
      if (facts.functions) server.guest.calls.enableUdf();
      if (configFile !== '') server.guest.setConfigFile(configFile);
      server.#configFile = configFile;
      server.#setOptions(list);
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /**
   * Listens, then loads the file that `dir` and `dbfilename` name. Clients who come meanwhile are served as far as the keys are not needed.
   * Resolves with the exit code when the server has ended by itself: SHUTDOWN, or shutdown(). Rejects with RZ_IO when it cannot listen or
   * load.
   */
  async run(): Promise<number> {
    try {
      const begun = this.guest.calls.startLoad(); // before anybody can change a key
      await this.#listen();
      if (this.#isClosed) return await this.#ended; // SHUTDOWN by the first client
      this.#isRunning = true;
      this.#setTitle();
      const isLogo = this.guest.optionNamed('always-show-logo') === 'yes' || this.#log.isTerminal;
      logStart(this.#log, isLogo, this.#face());
      await this.#load(begun);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this.#ended;
  }

  private constructor(vm: MicroVM, options: Map<string, string>, facts: ServerFacts, log: Log) {
    this.#vm = vm;
    this.#options = options;
    this.#facts = facts;
    this.#log = log;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
    const databases = this.#option('databases');
    if (!/^\d+$/.test(databases) || Number(databases) < 1 || Number(databases) > 65536) {
      throw new RingzeroError(
        'RZ_OPTION',
        `option 'databases' is '${databases}'; allowed: 1 to 65536`,
      );
    }
    this.guest = new RedisGuest(vm, Number(databases));
  }

  /** The TCP port it listens at; 0 when it only has a Unix socket. */
  get port(): number {
    return this.#facts.port;
  }

  /** Where its metrics are; undefined without the option. */
  get metricsUrl(): string | undefined {
    return this.#metricsServer?.url;
  }

  /** Its numbers in the text format of Prometheus. */
  metrics(): string {
    const connections = {
      name: 'ringzero_connections',
      help: 'Clients connected.',
      value: this.#facts.sockets,
    };
    const server = serverMetrics((metric) => this.guest.calls.metric(metric));
    return exposition([...server, connections, ...metricsOf(this.#vm.stats())]);
  }

  #option(name: keyof typeof DEFAULTS): string {
    return this.#options.get(name) ?? DEFAULTS[name];
  }

  #setOptions(list: OptionList): void {
    if (!this.#options.has('bind')) this.guest.setOption('bind', DEFAULTS.bind);
    for (const option of list) {
      const [name, given] = option;
      if (HOST_OPTIONS.has(name) && !option[3]) continue;
      const value = this.#accepted(name, given);
      const refusal = HOST_OPTIONS.has(name) ? '' : this.guest.setOption(name, value);
      if (refusal !== undefined || option[3]) throw refusedOption(option, refusal);
      this.#apply(name, value);
    }
    this.guest.setOption('dir', directoryOption(list)); // CONFIG GET shows it whole
    this.#limitClients();
    this.#warnAboutMemory(parseBytes('maxmemory', this.#options.get('maxmemory') || '0'));
  }

  #warnAboutMemory(maxmemory: number): void {
    const most = Math.floor(this.#facts.vmBytes * GUEST_SHARE);
    if (maxmemory <= most) return;
    this.#log.warning(
      `WARNING: maxmemory is ${maxmemory} bytes, but the VM has ${most} bytes for data (three quarters of option 'memory'): that limit holds instead`,
    );
  }

  /** Each client takes a descriptor; files, threads and what comes up must find some, too. */
  #limitClients(): void {
    const { most, used } = descriptors();
    if (most === undefined) return;
    const left = most - used - DESCRIPTORS_RESERVED;
    if (left < 1) {
      throw new RingzeroError(
        'RZ_OPTION',
        `Your current 'ulimit -n' of ${most} is not enough for the server to start. Please increase your open file limit to at least ${used + DESCRIPTORS_RESERVED + 1}. Exiting.`,
      );
    }
    const wanted = this.guest.calls.limitClients(Math.min(left, CLIENTS_MAX)) >>> 0;
    if (wanted === 0) return;
    this.#log.warning(
      `You requested maxclients of ${wanted} requiring at least ${wanted + used + DESCRIPTORS_RESERVED} max file descriptors.`,
    );
    this.#log.warning(
      `Current maximum open files is ${most}. maxclients has been reduced to ${left} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.`,
    );
  }

  /** The value as it can be had here, after a warning where it is another. */
  #accepted(name: string, value: string): string {
    const given = value.toLowerCase();
    if (name === 'daemonize' && given === 'yes') {
      this.#log.warning(
        'daemonize yes has no effect: the server stays in the foreground. Let a service manager run it, or nohup and &.',
      );
      return 'no';
    }
    if (name === 'supervised' && /^(systemd|upstart|auto)$/.test(given)) {
      const isCalled = given !== 'auto' || isSupervised();
      if (isCalled)
        this.#log.warning(
          `supervised ${given} has no effect: nothing tells the service manager that the server is ready. Use Type=simple or Type=exec.`,
        );
      return 'no';
    }
    return value;
  }

  /** What an option changes on this side of the border. */
  #apply(name: string, value: string): void {
    if (name === 'loglevel' && LOG_LEVELS.includes(value as LogLevel))
      this.#log.level = value as LogLevel;
    if (name === 'tcp-keepalive') this.#keepAliveSeconds = Number(value);
    if (!this.#isRunning) return; // run() sees to the rest
    if (name === 'hz' || name === 'dynamic-hz') this.#followHz();
    if (name === 'maxmemory') this.#warnAboutMemory(Number(value));
    if (name === 'proc-title-template') this.#setTitle();
  }

  #face(): Facts {
    return {
      version: REDIS_VERSION,
      pid: process.pid,
      port: this.#facts.port,
      address: this.#option('bind').split(/\s+/)[0] || '*',
      unixsocket: this.#options.get('unixsocket') ?? '',
      configFile: this.#configFile,
    };
  }

  /** The title of the process, if the options let it have one. */
  #setTitle(): void {
    if (this.guest.optionNamed('set-proc-title') !== 'yes') return;
    process.title = processTitle(this.guest.optionNamed('proc-title-template'), this.#face());
  }

  /** `result` of startLoad(). Between the parts of the file clients are served. */
  async #load(result: number): Promise<void> {
    while (result > 0 && !this.#isClosed) {
      result = this.guest.loadMore(LOAD_BYTES);
      if (result > 0) await nextTurn();
    }
    if (this.#isClosed) return; // SHUTDOWN
    if (result < 0 && result !== -ENOENT) {
      this.#log.warning('Terminating server after rdb file reading failure.');
      throw new RingzeroError('RZ_IO', 'Fatal error loading the DB, see above. Exiting.');
    }
    if (this.guest.calls.leftOut() > 0) this.#keepOriginal();
    this.#followHz();
    this.#log.notice('Ready to accept connections');
  }

  /** Calls cron as often as the guest asks. */
  #followHz(): void {
    const hz = this.guest.calls.hz();
    if (hz === this.#hz) return;
    this.#hz = hz;
    clearInterval(this.#cron);
    this.#cron = setInterval(() => {
      this.#facts.snapshotUs = this.#vm.snapshotUs;
      if ((this.guest.cron() & FLAG_EVENTS) !== 0) this.drainEvents();
      if (!this.#isClosed) this.#followHz();
    }, 1000 / hz);
  }

  /** The file is all there is of what was left out, and the next save replaces it. */
  #keepOriginal(): void {
    const path = absolutePath(`${this.#option('dir')}/${this.#option('dbfilename')}`);
    try {
      this.#log.warning(`The file with what was left out is kept as ${keepFile(path)}`);
    } catch (error) {
      throw new RingzeroError('RZ_IO', `Could not keep ${path} under another name: ${(error as Error).message}`, { cause: error }); // prettier-ignore
    }
  }

  async #listen(): Promise<void> {
    const port = Number(this.#option('port'));
    const path = this.#options.get('unixsocket');
    const backlog = Number(this.guest.optionNamed('tcp-backlog'));
    const places: (ListenAt & { optional?: boolean })[] = [];
    if (port !== 0 || path === undefined) {
      for (const text of this.#option('bind').split(/\s+/))
        places.push({ host: bindAddress(text), port, backlog, optional: text.startsWith('-') });
    }
    if (path !== undefined && path !== '') places.push({ path, mode: this.#socketMode(), backlog });
    for (const at of places) {
      try {
        const listener = await listen(at, (connection) => this.#accept(connection, at));
        if (this.#isClosed) return listener.close(); // SHUTDOWN by a client of another one
        this.#listeners.push(listener);
        if ('port' in at) this.#facts.port = listener.port;
        this.#log.notice(`Listening at ${'path' in at ? at.path : `${at.host}:${listener.port}`}`);
      } catch (error) {
        if ('optional' in at && at.optional && isAbsent(error)) continue;
        const where = 'path' in at ? at.path : `${at.host}:${at.port}`;
        throw new RingzeroError(
          'RZ_IO',
          `Could not listen at ${where}: ${(error as Error).message}`,
          {
            cause: error,
          },
        );
      }
    }
    const metricsPort = this.#options.get('metrics-port');
    if (metricsPort !== undefined) {
      const { startMetrics } = await import('./metrics-server.ts'); // and all of HTTP
      const at = this.#option('metrics-bind');
      const metrics = await startMetrics(Number(metricsPort), at, () => this.metrics());
      if (this.#isClosed) return metrics.close();
      this.#metricsServer = metrics;
      this.#log.notice(`Metrics at ${this.metricsUrl}`);
    }
  }

  /** Permissions of the Unix socket's file, when the options say any. */
  #socketMode(): number | undefined {
    const mode = parseInt(this.#options.get('unixsocketperm') ?? '0', 8);
    return mode === 0 ? undefined : mode;
  }

  #accept(connection: Connection, at: ListenAt): void {
    const { peer, local } = connection.describe('path' in at ? at.path : undefined);
    const slot = this.guest.connect(peer, local, 'path' in at);
    if (slot < 0) {
      connection.handler = { received: () => {}, queued: () => {}, closed: () => {} };
      connection.write(this.guest.reply());
      connection.end();
      return;
    }
    this.#log.verbose(`Accepted ${peer}`);
    connection.setKeepAlive('path' in at ? 0 : this.#keepAliveSeconds);
    const session = new Session(slot, connection, this);
    connection.handler = session;
    this.#sessions.set(slot, session);
    this.#facts.sockets = this.#sessions.size;
  }

  left(session: Session): void {
    this.#sessions.delete(session.slot);
    this.#facts.sockets = this.#sessions.size;
  }

  drainEvents(): void {
    for (
      let event = this.guest.calls.nextEvent();
      event !== 0;
      event = this.guest.calls.nextEvent()
    ) {
      const argument = event & 0xffffff;
      switch (event >>> 24) {
        case EVENT_CLOSE:
          this.#sessions.get(argument)?.kill();
          break;
        case EVENT_SHUTDOWN:
          void this.close().then(() => this.#end(argument));
          return;
        case EVENT_OPTION:
          this.#apply(...this.guest.option(argument));
          break;
      }
    }
  }

  /**
   * What a signal does to Redis, as shutdown-on-sigterm or shutdown-on-sigint say: by default it saves where save points are set, then
   * ends, and run() resolves with 0. When saving fails, the server goes on as Redis does.
   */
  shutdown(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): void {
    if (this.#isClosed) return;
    this.guest.calls.shutdown(signal === 'SIGINT' ? SHUTDOWN_SIGINT : SHUTDOWN_SIGTERM);
    this.drainEvents();
  }

  /** Closes every connection and the VM, without saving. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#cron);
    for (const listener of this.#listeners.splice(0)) listener.close();
    this.#metricsServer?.close();
    for (const session of [...this.#sessions.values()]) session.kill();
    await this.#vm.close();
    removeTemporaryFiles(absolutePath(this.#option('dir'))); // of a save that was under way
  }
}

const UNSUPPORTED = new Set(['loadmodule', 'user', 'redis-sentinel', 'sentinel']);

/** Why an option is refused, said for the place that it was given in. */
function refusedOption([name, , place, isMissing]: Option, refusal: string | undefined): Error {
  const isKnown = HOST_OPTIONS.has(name) || refusal !== BAD_DIRECTIVE;
  if (!isKnown && UNSUPPORTED.has(name))
    return optionError(place, `'${name}' is not supported by this server, see docs/redis.md`);
  if (!isKnown && place.startsWith('On the command line'))
    return optionError(place, `unknown option --${name}; see ringzero serve --help`);
  return optionError(place, isMissing ? `option '--${name}' needs a value` : refusal!);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether the machine has no such address. */
function isAbsent(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(String((error as { code?: unknown }).code));
}

/** `*` and a leading `-` (may be missing) as in redis.conf. */
function bindAddress(text: string): string {
  const address = text.replace(/^-/, '');
  return address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address;
}

/** The directory that the guest may use, whole; RZ_OPTION when there is none of that name. */
function directoryOption(list: OptionList): string {
  const given = list.find(([name]) => name === 'dir');
  const path = absolutePath(given?.[1] ?? DEFAULTS.dir);
  if (!isDirectory(path)) throw optionError(given?.[2] ?? path, `There is no directory ${path}`);
  return path;
}

function checkMetricsPort(list: OptionList): void {
  const given = list.find(([name, , , isMissing]) => name === 'metrics-port' && !isMissing);
  if (given === undefined) return;
  const [, value, place] = given;
  if (!/^\d{1,5}$/.test(value) || Number(value) > PORT_MAX)
    throw optionError(place, `argument must be between 0 and ${PORT_MAX}; 0 is any free port`);
}

/** Whether a service manager started this process and waits for word from it. */
function isSupervised(): boolean {
  return process.env['NOTIFY_SOCKET'] !== undefined || process.env['UPSTART_JOB'] !== undefined;
}

/** Whether users may load functions. */
function udfOption(list: OptionList): boolean {
  const given = list.find(([name]) => name === 'udf');
  if (given === undefined) return false;
  const [, value, place] = given;
  if (value !== 'yes' && value !== 'no') throw optionError(place, "argument must be 'yes' or 'no'");
  return value === 'yes';
}

/** VM memory: as asked, or 4 GiB where the machine has that to spare. */
function memoryOption(text: string | undefined): number {
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
