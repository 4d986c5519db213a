import { RingzeroError } from '../errors.ts';

/** A program ended itself with proc_exit: thrown through its frames to whoever called it. */
export class ProgramExit extends RingzeroError {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('RZ_EXIT', `the program ended itself with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}
