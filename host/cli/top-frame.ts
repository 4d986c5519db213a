// The text of `ringzero top`: a frame from two scrapes of a metrics endpoint.
//
// Interface   readScrape() parses an endpoint's text, frame() makes the lines. Both are pure.

/** Numbers by metric name without its prefix, and when they were read. */
export interface Scrape {
  readonly values: ReadonlyMap<string, number>;
  /** Milliseconds of a monotonic clock. */
  readonly atMs: number;
}

const SAMPLE = /^ringzero_([a-z0-9_]+) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const COUNTER = '_total';
const BYTES = '_bytes';
const LABEL_COLUMNS = 24;
const NUMBER_COLUMNS = 16;
const BAR_COLUMNS = 30;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** Undefined when the text has no metric of ringzero. */
export function readScrape(text: string, atMs: number): Scrape | undefined {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = SAMPLE.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  return values.size === 0 ? undefined : { values, atMs };
}

/** Gauges in the summary of a server, with their labels there. */
const SUMMARY: Readonly<Record<string, string>> = {
  keys: 'keys',
  used_memory_bytes: 'used memory',
  connections: 'clients',
};

/**
 * The lines of a frame: a summary if it is a server, gauges, counters per second. `before` is an earlier
 * scrape of the same endpoint.
 */
export function frame(before: Scrape, now: Scrape): string[] {
  const gauges: string[] = [];
  const counters: string[] = [];
  for (const [name, value] of now.values) {
    if (name.endsWith(COUNTER)) {
      const label = labelOf(name.slice(0, -COUNTER.length));
      counters.push(row(label, grouped(rate(before, now, name)), grouped(value)));
    } else if (!isServer(now) || !Object.hasOwn(SUMMARY, name))
      gauges.push(
        gauge(labelOf(name.endsWith(BYTES) ? name.slice(0, -BYTES.length) : name), name, value),
      );
  }
  const used = now.values.get('frames_used') ?? 0;
  const all = used + (now.values.get('frames_free') ?? 0);
  const head = row('counter', 'per second', 'total');
  const summary = isServer(now) ? [...summaryOf(before, now), ''] : [];
  return [
    ...summary,
    ...gauges,
    ...limit(now),
    row('frames in use', bar(used, all)),
    '',
    head,
    ...counters,
  ];
}

/** Whether the metrics are those of `ringzero serve`. */
const isServer = ({ values }: Scrape): boolean => values.has('commands_total');

/** What users look for first. Rates, and the hit rate, are those between the scrapes. */
function summaryOf(before: Scrape, now: Scrape): string[] {
  const hits = rate(before, now, 'keyspace_hits_total');
  const lookups = hits + rate(before, now, 'keyspace_misses_total');
  const gauges = Object.entries(SUMMARY).map(([name, label]) =>
    gauge(label, name, now.values.get(name) ?? 0),
  );
  return [
    row('commands per second', grouped(rate(before, now, 'commands_total'))),
    row('hit rate', lookups > 0 ? `${((hits / lookups) * 100).toFixed(1)} %` : 'no look-ups'),
    ...gauges,
    ...traffic(before, now),
    row('saves', grouped(now.values.get('saves_total') ?? 0)),
    ...unsaved(now),
  ];
}

/** Bytes per second in both directions, and keys that left the keyspace. */
function traffic(before: Scrape, now: Scrape): string[] {
  const shown = (name: string): boolean => now.values.has(name);
  const perSecond = (name: string): string => `${bytes(Math.round(rate(before, now, name)))}/s`;
  const lines: string[] = [];
  if (shown('received_bytes_total')) lines.push(row('received', perSecond('received_bytes_total')));
  if (shown('sent_bytes_total')) lines.push(row('sent', perSecond('sent_bytes_total')));
  for (const what of ['expired', 'evicted'])
    if (shown(`${what}_keys_total`))
      lines.push(row(`${what} per second`, grouped(rate(before, now, `${what}_keys_total`))));
  return lines;
}

function unsaved({ values }: Scrape): string[] {
  const changes = values.get('unsaved_changes');
  return changes === undefined ? [] : [row('changes since save', grouped(changes))];
}

function gauge(label: string, name: string, value: number): string {
  return row(label, name.endsWith(BYTES) ? bytes(value) : grouped(value));
}

/** Per second. A counter that decreased was reset: the VM was restarted. */
function rate(before: Scrape, now: Scrape, name: string): number {
  const seconds = (now.atMs - before.atMs) / 1000;
  const value = now.values.get(name) ?? 0;
  const old = before.values.get(name) ?? value;
  return seconds > 0 ? (value >= old ? value - old : value) / seconds : 0;
}

/** How much of maxmemory is used, when there is a limit. */
function limit({ values }: Scrape): string[] {
  const most = values.get('maxmemory_bytes') ?? 0;
  return most > 0 ? [row('maxmemory in use', bar(values.get('used_memory_bytes') ?? 0, most))] : [];
}

function labelOf(name: string): string {
  return name.replaceAll('_', ' ');
}

function row(label: string, ...cells: string[]): string {
  return label.padEnd(LABEL_COLUMNS) + cells.map((cell) => cell.padStart(NUMBER_COLUMNS)).join('');
}

/** 1,234,567; numbers below 100 with a decimal place unless they are whole. */
function grouped(value: number): string {
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

function bytes(value: number): string {
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

function bar(part: number, whole: number): string {
  const share = whole > 0 ? part / whole : 0;
  const filled = Math.round(share * BAR_COLUMNS);
  const percent = `${(share * 100).toFixed(0)} %`;
  return `${percent.padStart(NUMBER_COLUMNS)}  [${'#'.repeat(filled)}${'.'.repeat(BAR_COLUMNS - filled)}]`;
}
