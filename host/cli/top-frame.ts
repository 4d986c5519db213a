// What `ringzero top` shows: a frame of text from two scrapes of the metrics of a VM.
//
// Interface   readScrape() for the text of an endpoint, frame() for the lines. Both pure: the command does the waiting and the drawing.

/** Numbers by metric name without its prefix, and when they were read. */
export interface Scrape {
  readonly values: ReadonlyMap<string, number>;
  /** Milliseconds of some clock that does not jump. */
  readonly atMs: number;
}

const SAMPLE = /^ringzero_([a-z0-9_]+) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const COUNTER = '_total';
const BYTES = '_bytes';
const LABEL_COLUMNS = 24;
const NUMBER_COLUMNS = 16;
const BAR_COLUMNS = 30;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** Undefined when there is no number of ringzero's in the text. */
export function readScrape(text: string, atMs: number): Scrape | undefined {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = SAMPLE.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  return values.size === 0 ? undefined : { values, atMs };
}

/** What the summary of a server shows of its gauges, with its own labels. */
const SUMMARY: Readonly<Record<string, string>> = {
  keys: 'keys',
  used_memory_bytes: 'used memory',
  connections: 'clients',
};

/**
 * The lines of a frame: what a server does, gauges as they are, counters by the second. `before` is an earlier scrape of the same endpoint.
 */
export function frame(before: Scrape, now: Scrape): string[] {
  const gauges: string[] = [];
  const counters: string[] = [];
  for (const [name, value] of now.values) {
    if (name.endsWith(COUNTER)) {
      const label = labelOf(name.slice(0, -COUNTER.length));
      counters.push(row(label, grouped(rate(before, now, name)), grouped(value)));
    } else if (!isServer(now) || !Object.hasOwn(SUMMARY, name))
      gauges.push(gauge(labelOf(name.endsWith(BYTES) ? name.slice(0, -BYTES.length) : name), name, value)); // prettier-ignore
  }
  const used = now.values.get('frames_used') ?? 0;
  const all = used + (now.values.get('frames_free') ?? 0);
  const head = row('counter', 'per second', 'total');
  const summary = isServer(now) ? [...summaryOf(before, now), ''] : [];
  return [...summary, ...gauges, row('frames in use', bar(used, all)), '', head, ...counters];
}

/** Whether the numbers are those of `ringzero serve`. */
const isServer = ({ values }: Scrape): boolean => values.has('commands_total');

/** What one looks for first. The hit rate is that of the time between the scrapes. */
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
    row('saves', grouped(now.values.get('saves_total') ?? 0)),
  ];
}

function gauge(label: string, name: string, value: number): string {
  return row(label, name.endsWith(BYTES) ? bytes(value) : grouped(value));
}

/** By the second. A counter that is less than before was reset: its VM is another one by now. */
function rate(before: Scrape, now: Scrape, name: string): number {
  const seconds = (now.atMs - before.atMs) / 1000;
  const value = now.values.get(name) ?? 0;
  const old = before.values.get(name) ?? value;
  return seconds > 0 ? (value >= old ? value - old : value) / seconds : 0;
}

function labelOf(name: string): string {
  return name.replaceAll('_', ' ');
}

function row(label: string, ...cells: string[]): string {
  return label.padEnd(LABEL_COLUMNS) + cells.map((cell) => cell.padStart(NUMBER_COLUMNS)).join('');
}

/** 1,234,567; small ones with a decimal place unless they are whole. */
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
  return `${value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

function bar(part: number, whole: number): string {
  const share = whole > 0 ? part / whole : 0;
  const filled = Math.round(share * BAR_COLUMNS);
  const percent = `${(share * 100).toFixed(0)} %`;
  return `${percent.padStart(NUMBER_COLUMNS)}  [${'#'.repeat(filled)}${'.'.repeat(BAR_COLUMNS - filled)}]`;
}
