// MULTI: the queue of a client's commands.
import * as client from './client.ts';

export function enqueue(c: client.Client, row: u32): void {}
