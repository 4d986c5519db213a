// Glob patterns, as KEYS, SCAN MATCH and CONFIG GET take them: * ? [a-z] [^a] and backslash.
//
// Invariants  GLOB-1  Time is bounded by pattern times text: only the last star is ever tried again, and no
//                     recursion.

import * as ascii from './ascii.ts';

let patternAt: u32 = 0; // behind what matchOne() read

/** True when the whole text matches the pattern. */
export function matches(pattern: u32, patternBytes: u32, text: u32, textBytes: u32): bool {
  if (textBytes == 0) return patternBytes == 0; // not even a star matches nothing
  const patternEnd = pattern + patternBytes;
  const textEnd = text + textBytes;
  let starPattern: u32 = 0; // behind the last star
  let starText: u32 = 0; // where it stopped last
  let p = pattern;
  let t = text;
  while (t < textEnd || p < patternEnd) {
    if (p < patternEnd && load<u8>(p) == ascii.ASTERISK) {
      starPattern = ++p;
      starText = t;
      continue;
    }
    if (t < textEnd && p < patternEnd && matchOne(p, patternEnd, load<u8>(t))) {
      p = patternAt;
      t++;
      continue;
    }
    if (starPattern == 0 || starText >= textEnd) return false;
    p = starPattern;
    t = ++starText;
  }
  return true;
}

/** Matches one byte against the pattern's next element. */
function matchOne(p: u32, end: u32, c: u32): bool {
  let wanted: u32 = load<u8>(p);
  patternAt = p + 1;
  if (wanted == ascii.QUESTION) return true;
  if (wanted == ascii.BRACKET_OPEN) return matchClass(p + 1, end, c);
  if (wanted == ascii.BACKSLASH && p + 1 < end) {
    wanted = load<u8>(p + 1);
    patternAt = p + 2;
  }
  return wanted == c;
}

/** Matches one byte against what stands between brackets; a bracket that is not closed reaches to the end. */
function matchClass(p: u32, end: u32, c: u32): bool {
  const isNegated = p < end && load<u8>(p) == ascii.CARET;
  if (isNegated) p++;
  let isFound = false;
  while (true) {
    if (p >= end) break;
    let low: u32 = load<u8>(p);
    if (low == ascii.BACKSLASH && p + 1 < end) {
      p++;
      if (load<u8>(p) == c) isFound = true;
    } else if (low == ascii.BRACKET_CLOSE) {
      p++;
      break;
    } else if (p + 2 < end && load<u8>(p + 1) == ascii.MINUS) {
      let high: u32 = load<u8>(p + 2);
      if (low > high) {
        const swapped = low;
        low = high;
        high = swapped;
      }
      p += 2;
      if (c >= low && c <= high) isFound = true;
    } else if (low == c) isFound = true;
    p++;
  }
  patternAt = p;
  return isFound != isNegated;
}
