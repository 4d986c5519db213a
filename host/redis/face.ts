// What the server shows of itself to the machine: the title of its process, and the lines that it starts its
// log with.

import type { Log } from './log.ts';

/** What a title or the logo says. */
export interface Facts {
  version: string;
  pid: number;
  port: number;
  address: string;
  unixsocket: string;
  configFile: string;
}

/** The title that a template asks for; guest/redis/config/title.ts has checked it. */
export function processTitle(template: string, facts: Facts): string {
  const listens = facts.port === 0 ? facts.unixsocket : `${facts.address}:${facts.port}`;
  const values = new Map([
    ['title', 'ringzero serve'],
    ['listen-addr', listens],
    ['server-mode', ''],
    ['port', String(facts.port)],
    ['tls-port', '0'],
    ['config-file', facts.configFile || '-'],
    ['unixsocket', facts.unixsocket],
  ]);
  const filled = template.replace(/\{\{|\{([^}]*)\}/g, (all, name: string | undefined) =>
    all === '{{' ? '{' : (values.get(name!) ?? ''),
  );
  return filled.replace(/^ +| +$/g, '');
}

/** As redis-server: a logo for people, or one line. */
export function logStart(log: Log, isLogo: boolean, { version, pid, port }: Facts): void {
  if (isLogo) {
    const lines = [
      `ringzero, compatible with Redis ${version}`,
      'Running in standalone mode',
      `Port: ${port}`,
      `PID: ${pid}`,
    ];
    log.plain(`\n  ( 0 )  ${lines.join('\n         ')}\n\n`);
  } else log.notice(`Running mode=standalone, port=${port}.`);
  log.warning('Server initialized');
}
