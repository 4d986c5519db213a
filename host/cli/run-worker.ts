// The thread of `ringzero run --timeout`.

import { thread } from '../platform/threads.ts';
import { runProgram, type Request } from './run-program.ts';

thread.post(await runProgram((await thread.data()) as Request));
