import { RingzeroError } from '../errors.ts';

/**
 * A program called proc_exit: thrown through its frames to the caller.
 *
 * @category Programs
 */
export class ProgramExit extends RingzeroError {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('RZ_EXIT', `the program exited with code ${exitCode}`);
    this.exitCode = exitCode;
  }
}
