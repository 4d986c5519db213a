// The Redis-compatible server: a VM with the Redis guest, and its sockets.

import {
  EVENT_CLOSE,
  EVENT_OPTION,
  EVENT_OUTPUT,
  EVENT_SHUTDOWN,
  FLAG_EVENTS,
  PROGRESS_SAVE,
  REDIS_VERSION,
  SHUTDOWN_SIGINT,
  SHUTDOWN_SIGTERM,
} from '../../guest/redis/abi.ts';
import { RingzeroError } from '../errors.ts';
import { removeTemporaryFiles } from '../platform/keep-file.ts';
import type { Connection, ListenAt } from '../platform/sockets.ts';
import { absolutePath } from '../platform/node.ts';
import type { TextServer } from '../platform/http.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import { exposition, metricsOf } from '../vm/stats.ts';
import { limitClients } from './client-limit.ts';
import { rewriteFile } from './config-rewrite.ts';
import { endpointsOf } from './endpoints.ts';
import { logStart, processTitle, type Facts } from './face.ts';
import { RedisGuest } from './guest.ts';
import { redisImages } from './images.ts';
import { imports, type ServerFacts } from './imports.ts';
import { serverMetrics } from './metrics.ts';
import { LOG_LEVELS, type Log, type LogLevel } from './log.ts';
import {
  acceptedOption,
  checkMetricsPort,
  DEFAULTS,
  directoryOption,
  GUEST_SHARE,
  HOST_OPTIONS,
  memoryOption,
  refusedOption,
  udfOption,
} from './host-options.ts';
import { parseBytes, type OptionList } from './options.ts';
import { failureOf, Listening, type Place } from './listening.ts';
import { load } from './loading.ts';
import { Session, type SessionOwner } from './session.ts';

export class RedisServer implements SessionOwner {
  readonly guest: RedisGuest;
  readonly #vm: MicroVM;
  readonly #log: Log;
  readonly #facts: ServerFacts;
  readonly #options: Map<string, string>;
  readonly #sessions = new Map<number, Session>();
  readonly #listening: Listening;
  /** Of the options port and bind, what the server listens at. */
  #place: Place = { port: 0, bind: '' };
  #metricsServer: TextServer | undefined;
  #cron: NodeJS.Timeout | undefined;
  #hz = 0; // of #cron
  #keepAliveSeconds = 300;
  #isClosed = false;
  #isDraining = false;
  #isRunning = false;
  #configFile = '';
  readonly #ended: Promise<number>;
  #end!: (exitCode: number) => void;

  /**
   * Creates a server, for run(). CONFIG REWRITE writes to `configFile`, if one is given.
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
      // Loads the translator on demand.
      functions: udfOption(list) ? (await import('./functions.ts')).Functions : undefined,
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
   * Listens, then loads the database file. Until it is loaded, clients get an error from commands that need
   * the keys. Resolves with the exit code after SHUTDOWN or shutdown(). Rejects with RZ_IO when it cannot
   * listen or load.
   */
  async run(): Promise<number> {
    try {
      const begun = this.guest.calls.startLoad(); // before a client can change a key
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
    this.#listening = new Listening(log, (connection, at) => this.#accept(connection, at));
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

  /** The TCP port; 0 with only a Unix socket. */
  get port(): number {
    return this.#facts.port;
  }

  /** URL of the metrics endpoint; undefined without the option. */
  get metricsUrl(): string | undefined {
    return this.#metricsServer?.url;
  }

  /** Statistics in the text format of Prometheus. */
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
      const value = acceptedOption(name, given, this.#log);
      const refusal = HOST_OPTIONS.has(name) ? '' : this.guest.setOption(name, value);
      if (refusal !== undefined || option[3]) throw refusedOption(option, refusal);
      this.#apply(name, value);
    }
    this.guest.setOption('dir', directoryOption(list)); // as CONFIG GET shows it: absolute
    limitClients(this.guest, this.#log);
    this.#warnAboutMemory(parseBytes('maxmemory', this.#options.get('maxmemory') || '0'));
  }

  #warnAboutMemory(maxmemory: number): void {
    const most = Math.floor(this.#facts.vmBytes * GUEST_SHARE);
    if (maxmemory <= most) return;
    this.#log.warning(
      `WARNING: maxmemory is ${maxmemory} bytes, but the VM has ${most} bytes for data ` +
        "(three quarters of option 'memory'): that limit holds instead",
    );
  }

  /** Effects of an option in the host. */
  #apply(name: string, value: string): void {
    if (name === 'loglevel' && LOG_LEVELS.includes(value as LogLevel))
      this.#log.level = value as LogLevel;
    if (name === 'tcp-keepalive') this.#keepAliveSeconds = Number(value);
    if (!this.#isRunning) return; // run() applies the rest
    if (name === 'hz' || name === 'dynamic-hz') this.#followHz();
    if (name === 'maxmemory') this.#warnAboutMemory(Number(value));
    if (name === 'proc-title-template') this.#setTitle();
  }

  #face(): Facts {
    return {
      version: REDIS_VERSION,
      pid: process.pid,
      port: this.#facts.port,
      address: this.#place.bind.split(/\s+/)[0] || '*',
      unixsocket: this.#options.get('unixsocket') ?? '',
      configFile: this.#configFile,
    };
  }

  /** Sets the title of the process, if the options allow it. */
  #setTitle(): void {
    if (this.guest.optionNamed('set-proc-title') !== 'yes') return;
    process.title = processTitle(this.guest.optionNamed('proc-title-template'), this.#face());
  }

  async #load(begun: number): Promise<void> {
    const isLoaded = await load(begun, {
      guest: this.guest,
      log: this.#log,
      path: absolutePath(`${this.#option('dir')}/${this.#option('dbfilename')}`),
      isClosed: () => this.#isClosed,
    });
    if (!isLoaded) return; // SHUTDOWN
    this.#followHz();
    this.#log.notice('Ready to accept connections');
  }

  /** Calls cron at the guest's rate. */
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

  async #listen(): Promise<void> {
    this.#place = { port: Number(this.#option('port')), bind: this.#option('bind') };
    const endpoints = endpointsOf({
      ...this.#place,
      unixsocket: this.#options.get('unixsocket'),
      mode: parseInt(this.#options.get('unixsocketperm') ?? '0', 8) || undefined,
      backlog: Number(this.guest.optionNamed('tcp-backlog')),
    });
    if (endpoints.length === 0)
      throw new RingzeroError('RZ_OPTION', 'Configured to not listen anywhere, exiting.');
    await this.#listening.open(endpoints);
    this.#facts.port = this.#listening.port;
    if (this.#isClosed) return;
    const metricsPort = this.#options.get('metrics-port');
    if (metricsPort !== undefined) {
      const { startMetrics } = await import('./metrics-server.ts'); // loads HTTP on demand
      const at = this.#option('metrics-bind');
      const metrics = await startMetrics(Number(metricsPort), at, () => this.metrics());
      if (this.#isClosed) return metrics.close();
      this.#metricsServer = metrics;
      this.#log.notice(`Metrics at ${this.metricsUrl}`);
    }
  }

  /**
   * CONFIG SET has changed port or bind: listens there. Resolves with why not, and with the old values in
   * force then.
   */
  async listen(): Promise<string | undefined> {
    const { guest } = this;
    const before = this.#place;
    const place = { port: Number(guest.optionNamed('port')), bind: guest.optionNamed('bind') };
    this.#place = place;
    const isMoved = await this.#listening.move(place, Number(guest.optionNamed('tcp-backlog')));
    if (!isMoved && this.#place === place && !this.#isClosed) {
      this.#place = before;
      guest.setOption('port', String(before.port));
      guest.setOption('bind', before.bind);
    }
    this.#facts.port = this.#listening.port;
    if (!this.#isClosed) this.#setTitle();
    return isMoved ? undefined : failureOf(place, before);
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

  /**
   * A call from within, when a socket reports what it has not taken, leaves the events to the loop that runs.
   */
  drainEvents(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      this.#drain();
    } finally {
      this.#isDraining = false;
    }
  }

  #drain(): void {
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
        case EVENT_OUTPUT:
          this.#sessions.get(argument)?.takeOutput();
          break;
        case EVENT_OPTION:
          this.#apply(...this.guest.option(argument));
          break;
      }
    }
  }

  /**
   * Does what a signal does to Redis, as shutdown-on-sigterm or shutdown-on-sigint say: by default it saves
   * if save points are set, then ends, and run() resolves with 0. When saving fails, the server keeps
   * running, as Redis does.
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
    this.#listening.close();
    this.#metricsServer?.close();
    for (const session of [...this.#sessions.values()]) session.kill();
    await this.#vm.close();
    removeTemporaryFiles(absolutePath(this.#option('dir'))); // of an unfinished save
  }
}
