// A browser has no file to which threads can append: a trace is refused. Same interface as ../trace-file.ts.

import { RingzeroError } from '../../errors.ts';

const REFUSAL =
  'option `trace`: a browser has no file to which threads can append. Use its profiler for workers';

export function create(_path: string): string {
  throw new RingzeroError('RZ_HOST', REFUSAL);
}

export function open(_path: string): number {
  throw new RingzeroError('RZ_HOST', REFUSAL);
}

export function append(_descriptor: number, _text: string): void {}

export function close(_descriptor: number): void {}

export const clockStartMs = performance.timeOrigin;

export function clockNs(): number {
  return performance.now() * 1e6;
}

export function atEnd(_then: () => void): () => void {
  return () => {};
}
