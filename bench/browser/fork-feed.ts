// Where the demo of forks gets what it shows: from two workers of this page, or from a run that was
// recorded in such a page.

import type { ForkEvent, WriterOptions, WriterSample } from './writers.ts';

export type Lane = 'ours' | 'theirs';
export const LANES: readonly Lane[] = ['ours', 'theirs'];

export interface Listener {
  sample(lane: Lane, sample: WriterSample): void;
  fork(lane: Lane, event: ForkEvent): void;
  failed(text: string): void;
  /** No more comes. */
  ended(): void;
}

export interface Feed {
  /** Takes the memory of both programs, as it is now. */
  fork(): void;
  stop(): void;
}

export type Choices = Pick<WriterOptions, 'mib' | 'part'>;

const STARTS = { ours: 'writer', theirs: 'copier' } as const;

/** Two workers of this page. */
export function live(choices: Choices, listener: Listener): Feed {
  const workers = LANES.map((lane) => {
    const worker = new Worker(new URL('./machines.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<object>) => {
      if ('writes' in data) listener.sample(lane, data as WriterSample);
      else if ('fork' in data) listener.fork(lane, data as ForkEvent);
      else if ('failed' in data) fail(String(data.failed));
      else if ('ended' in data) end(worker);
    };
    worker.onerror = ({ message }) => fail(message);
    worker.postMessage({ start: STARTS[lane], ...choices });
    return worker;
  });
  const running = new Set(workers);
  const end = (worker: Worker): void => {
    worker.terminate();
    if (running.delete(worker) && running.size === 0) listener.ended();
  };
  const fail = (text: string): void => {
    listener.failed(text);
    for (const worker of workers) end(worker);
  };
  const tell = (message: object): void => workers.forEach((worker) => worker.postMessage(message));
  return { fork: () => tell({ fork: true }), stop: () => tell({ stop: true }) };
}

export interface Recording {
  /** Where and when it was recorded, in words. */
  where: string;
  mib: number;
  part: number;
  /** Times count from the start of the recording. */
  samples: Record<Lane, WriterSample[]>;
  forks: Record<Lane, ForkEvent[]>;
}

/** A recorded run, as fast as it was, and from the start again when it is over. */
export function recorded({ samples, forks }: Recording, listener: Listener): Feed {
  const events = LANES.flatMap((lane) => [
    ...samples[lane].map((sample) => ({
      at: sample.atMs,
      tell: (by: number) => listener.sample(lane, moved(sample, by)),
    })),
    ...forks[lane].map((fork) => ({
      at: fork.endedMs,
      tell: (by: number) => listener.fork(lane, moved(fork, by)),
    })),
  ]).sort((a, b) => a.at - b.at);
  let began = Date.now();
  let next = 0;
  const timer = setInterval(() => {
    while (next < events.length && began + events[next]!.at <= Date.now())
      events[next++]!.tell(began);
    if (next === events.length) [next, began] = [0, Date.now()];
  }, 20);
  const stop = (): void => {
    clearInterval(timer);
    listener.ended();
  };
  return { fork: () => {}, stop };
}

/** The same at another time. */
function moved<T extends WriterSample | ForkEvent>(event: T, by: number): T {
  const made = { ...event };
  for (const name of ['fromMs', 'atMs', 'beganMs', 'endedMs'] as (keyof T)[])
    if (made[name] !== undefined) made[name] = ((made[name] as number) + by) as T[keyof T];
  return made;
}
