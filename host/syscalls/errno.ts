/** A failure that the guest caused: its call returns -number (assembly/abi/errno.ts). */
export class Errno extends Error {
  readonly number: number;
  constructor(number: number) {
    super(`errno ${number}`);
    this.number = number;
  }
}
