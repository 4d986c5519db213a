// What a plot of the report shows: samples by group and series, and what the paper's figure has there.

export interface Point {
  /** A number (a size, a depth) makes lines over an axis, a word a group of bars. */
  group: string | number;
  series: string;
  /** All that was measured; the plot shows the median, and the range as a line. */
  samples: readonly number[];
}

export interface Plot {
  title: string;
  /** Axis of the values, with its unit. */
  values: string;
  /** Axis of the groups, with its unit if they are numbers. */
  groups?: string;
  isLog?: boolean;
  points: readonly Point[];
  /** What the paper's figure shows (SIGMOD 2025), or whose measure it is. */
  paper?: string;
}

/**
 * Points from samples by name; `split` says which group and series a name belongs to, or undefined to leave
 * it out.
 */
export function pointsOf(
  samples: Iterable<readonly [name: string, samples: readonly number[]]>,
  split: (name: string) => readonly [group: string | number, series: string] | undefined,
  scale = 1,
): Point[] {
  const points: Point[] = [];
  for (const [name, values] of samples) {
    const found = split(name);
    if (found === undefined) continue;
    points.push({ group: found[0], series: found[1], samples: values.map((v) => v * scale) });
  }
  return points;
}
