// Random numbers for choices that no client gains from predicting: xorshift64*, seeded at boot.

let state: u64 = 0x2545f4914f6cdd1d;

export function seed(value: u64): void {
  state = value == 0 ? 1 : value;
}

/** 32 random bits. */
export function bits(): u32 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return <u32>((state * 0x2545f4914f6cdd1d) >> 32);
}
