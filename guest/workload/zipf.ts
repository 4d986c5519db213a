// Ranks of a Zipf distribution: P(rank k) ~ 1 / k^theta, k = 1 to n. Rejection-inversion (Hoermann and
// Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", 1996): exact,
// with no table.
//
// Interface   prepare(n, root), then rank(). theta = 1 - 1 / root: 10 is theta 0.9, so that the inverse of
//             the integral of x^-theta is a whole power and no logarithm is needed.
// Cost        10 ns: one number drawn, one power; roots are taken for few of them.
//
//   H(x) = root * x^(1/root) is the integral of x^-theta; h(x) = x^-theta = x^(1/root) / x

import * as random from './random';

let size: f64 = 0;
let power: u32 = 1;
/** H just before the first rank and just after the last. */
let first: f64 = 0;
let last: f64 = 0;
/** A rank this close above the drawn point is accepted without another test. */
let sure: f64 = 0;


@inline
function raise(x: f64): f64 {
  let result: f64 = 1;
  let square = x;
  for (let bits = power; bits != 0; bits >>= 1) {
    if (bits & 1) result *= square;
    square *= square;
  }
  return result;
}

const STEPS_MAX: u32 = 2000; // far more than Newton's method needs from any start above the root

/** x^(1/root) by Newton's method from a guess that is not below it, or close to it. */
function root(x: f64, guess: f64): f64 {
  let y = guess;
  for (let i: u32 = 0; i < STEPS_MAX; i++) {
    const next = y - (y - (x * y) / raise(y)) / <f64>power;
    if (abs<f64>(next - y) <= 1e-15 * y) return next;
    y = next;
  }
  return y;
}


@inline
function inverse(h: f64): f64 {
  return raise(h / <f64>power);
}

/** Prepares ranks up to n; false for invalid parameters. */
export function prepare(n: u32, rootOfTheta: u32): bool {
  if (n == 0 || rootOfTheta == 0) return false;
  size = n;
  power = rootOfTheta;
  const p = <f64>power;
  first = p * root(1.5, 1.5) - 1;
  last = p * root(size + 0.5, size + 0.5);
  const two = root(2.0, 2.0);
  sure = 2 - inverse(p * root(2.5, 2.5) - two / 2);
  return true;
}

export function rank(): u32 {
  while (true) {
    const h = last + random.fraction() * (first - last);
    const x = inverse(h);
    let k = floor<f64>(x + 0.5);
    if (k < 1) k = 1;
    else if (k > size) k = size;
    if (k - x <= sure || isUnder(h, k)) return <u32>k;
  }
}

function isUnder(h: f64, k: f64): bool {
  const p = <f64>power;
  const guess = h / p;
  return h >= p * root(k + 0.5, guess) - root(k, guess) / k;
}
