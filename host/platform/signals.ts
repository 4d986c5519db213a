// Signals that end a process, for what must be done first: SIGINT, SIGTERM, SIGHUP.
//
// Interface   onSignal(then) calls `then` when such a signal is about to end the process; the result cancels
//             that.
// Invariants  SIGNAL-1  A program that handles a signal itself decides what happens: `then` is not called.
//             SIGNAL-2  The process ends by the same signal, as it would have without this file.
// Concurrency Node delivers signals to the main thread, at the end of a turn. Workers get none, and Deno does
//             not tell whether a program has a handler: `then` is not called there.

import { setImmediate } from 'node:timers';
import { isMainThread } from 'node:worker_threads';
import { isDeno } from './deno.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const last = new Set<() => void>();

export function onSignal(then: () => void): () => void {
  if (!isMainThread || isDeno) return () => {};
  if (last.size === 0) listen();
  last.add(then);
  return () => {
    if (last.delete(then) && last.size === 0)
      for (const signal of SIGNALS) process.off(signal, end);
  };
}

function listen(): void {
  for (const signal of SIGNALS)
    if (!process.listeners(signal).includes(end)) process.prependListener(signal, end);
}

function end(signal: NodeJS.Signals): void {
  process.off(signal, end); // so that other libraries that count listeners do not count this one
  if (process.listenerCount(signal) > libraryListeners()) {
    setImmediate(() => last.size > 0 && listen());
    return;
  }
  for (const then of last) then();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

interface Counted {
  count?: unknown;
}

/** Listeners of the library signal-exit, versions 3 and 4: it ends the process when it finds no others. */
function libraryListeners(): number {
  const { __signal_exit_emitter__: third } = process as { __signal_exit_emitter__?: Counted };
  const fourth = Reflect.get(globalThis, Symbol.for('signal-exit emitter')) as Counted | undefined;
  const countOf = (emitter: Counted | undefined): number => Number(emitter?.count ?? 0);
  return countOf(third) + countOf(fourth);
}
