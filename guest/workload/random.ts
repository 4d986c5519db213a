// Random numbers of one vCPU: xorshift64*.
//
// Interface   seed() once per run; every sequence follows from it.
// Cost        2 ns a number; no division.

let state: u64 = 0x2545f4914f6cdd1d;

/** Sequences of different seeds are independent, however close the seeds are. */
export function seed(value: u64): void {
  let mixed = (value + 1) * 0x9e3779b97f4a7c15; // splitmix64
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  state = mixed == 0 ? 1 : mixed;
}

export function bits(): u64 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1d;
}

/** 0 to limit - 1. */
@inline
export function below(limit: u32): u32 {
  return <u32>(((bits() >> 32) * <u64>limit) >> 32);
}

/** low to high, both included. */
@inline
export function between(low: u32, high: u32): u32 {
  return low + below(high - low + 1);
}

/** From 0 to below 1, with 53 bits. */
export function fraction(): f64 {
  return <f64>(bits() >> 11) * 1.1102230246251565e-16;
}
