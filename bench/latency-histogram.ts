// Counts of latencies in microseconds: 64 buckets for every power of two, so that a percentile is right to
// 1.6 %.

const SHIFT = 6;
const PER_POWER = 1 << SHIFT;
const US_MAX = 2 ** 30 - 1;

export class LatencyHistogram {
  readonly #counts = new Float64Array((31 - SHIFT) * PER_POWER);
  count = 0;
  maxUs = 0;

  /** `count` replies that all took `us`. */
  add(us: number, count: number): void {
    const whole = Math.min(us, US_MAX) | 0;
    const shift = Math.max(0, 31 - SHIFT - Math.clz32(whole));
    this.#counts[shift * PER_POWER + (whole >>> shift)]! += count;
    this.count += count;
    if (us > this.maxUs) this.maxUs = us;
  }

  /** The latency that `fraction` of the replies did not exceed. */
  percentileUs(fraction: number): number {
    let left = Math.ceil(this.count * fraction);
    for (let i = 0; i < this.#counts.length; i++) {
      left -= this.#counts[i]!;
      if (left > 0) continue;
      const shift = Math.max(0, (i >>> SHIFT) - 1);
      return Math.min(this.maxUs, (i - shift * PER_POWER + 1) * 2 ** shift);
    }
    return this.maxUs;
  }
}
