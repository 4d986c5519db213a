// A reader of Prometheus' text format, strict: what it does not know is an error.

interface Sample {
  type: 'counter' | 'gauge';
  value: number;
}

/**
 * Samples by name. Throws for a sample without HELP and TYPE before it, for a name given twice, for a value
 * that is not a number.
 */
export function parseExposition(text: string): Map<string, Sample> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const samples = new Map<string, Sample>();
  const helps = new Set<string>();
  const types = new Map<string, string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\\]+)$/.exec(line);
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(line);
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line);
    if (help !== null) {
      if (helps.has(help[1]!)) throw new Error(`two HELP lines of ${help[1]}`);
      helps.add(help[1]!);
    } else if (type !== null) {
      if (types.has(type[1]!)) throw new Error(`two TYPE lines of ${type[1]}`);
      types.set(type[1]!, type[2]!);
    } else if (sample !== null) {
      const [, name = '', value] = sample;
      const kind = types.get(name);
      if (!helps.has(name) || kind === undefined) throw new Error(`no HELP or TYPE of ${name}`);
      if (samples.has(name)) throw new Error(`two samples of ${name}`);
      if ((kind === 'counter') !== name.endsWith('_total')) throw new Error(`${name}: ${kind}`);
      samples.set(name, { type: kind as Sample['type'], value: Number(value) });
    } else throw new Error(`what is this: ${line}`);
  }
  if (samples.size !== types.size) throw new Error('a TYPE without its sample');
  return samples;
}
