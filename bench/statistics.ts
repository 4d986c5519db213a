// Order statistics. Portable: the report's page draws with the same ones.

/**
 * Of sorted values, with a straight line between the two nearest: 0.5 of an even number is the mean of the
 * middle ones.
 */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  const place = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}

/** A difference with its sign: `+56`, `-3`. */
export function signed(value: number, digits = 0): string {
  const text = value.toFixed(digits);
  return value >= 0 ? `+${text}` : text;
}
