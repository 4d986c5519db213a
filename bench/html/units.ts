// Figures in words: a time in the unit that suits it, a number with as many digits as mean
// something, and which of two is better.

const NANOSECONDS: Record<string, number> = {
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
};
const STEPS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [0, 'ns'],
] as const;

/** Three digits that count, and commas between thousands. */
export function short(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** A value of an axis: `values` is the axis' title. */
export function format(value: number, values: string): string {
  const unit = NANOSECONDS[values];
  if (values === 'x') return `${short(value)}×`;
  if (unit === undefined || value === 0) return short(value);
  const nanoseconds = value * unit;
  const [size, name] = STEPS.find(([least]) => Math.abs(nanoseconds) >= least)!;
  return `${short(nanoseconds / (size || 1))} ${name}`;
}

/** Rates and speeds are better when they are higher; times, sizes and multiples when they are lower. */
const better = (values: string): 'higher' | 'lower' =>
  /a second|speed/.test(values) ? 'higher' : 'lower';

/** Under a plot's title: what its axis has, and which way is better. */
export function axisTitle(values: string): string {
  const what = values === 'x' ? 'multiple' : values;
  return `${what[0]!.toUpperCase()}${what.slice(1)}; ${better(values)} is better`;
}
