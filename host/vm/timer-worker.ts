// The thread of a VM's timers.

import { monotonicUs, thread } from '#platform';
import { READY, Timers, type TimersThreadData } from './timers.ts';

const timers = new Timers((await thread.data()) as TimersThreadData);
thread.post(READY);
timers.run(monotonicUs);
thread.post('stopped');
