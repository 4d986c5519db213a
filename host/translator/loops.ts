// What each loop of a function may change: one linear pass over the body, before the analysis. A loop in which
// nothing but polls can move the view is quiet; what was known before it stays known in it, if its polls
// make it so again.

import { RingzeroError } from '../errors.ts';
import type { ModuleMap } from './module.ts';
import { IMM_CALL_INDIRECT, IMM_PREFIX, IMM_REFUSED, IMMEDIATE, VOID } from './opcode.ts';
import { skipImmediate, skipPrefixed } from './skip.ts';
import { malformed, type Reader } from './reader.ts';

export class Loops {
  readonly #map: ModuleMap;
  readonly #quietFunctions: Uint8Array;
  readonly #assigned: number[] = []; // locals, in the order of their assignments within loops
  readonly #from: number[] = []; // of each loop, its part of #assigned
  readonly #to: number[] = [];
  readonly #quiet: boolean[] = [];
  readonly #open: number[] = []; // of each open block the loop's number, or -1
  readonly #openLoops: number[] = [];

  constructor(map: ModuleMap, quietFunctions: Uint8Array) {
    this.#map = map;
    this.#quietFunctions = quietFunctions;
  }

  quiet(loop: number): boolean {
    return this.#quiet[loop] === true;
  }

  /** How many assignments the loop holds, and the local of one of them. */
  assignments(loop: number): number {
    return this.#to[loop]! - this.#from[loop]!;
  }
  assigned(loop: number, i: number): number {
    return this.#assigned[this.#from[loop]! + i]!;
  }

  assigns(loop: number, local: number): boolean {
    const i = this.#assigned.indexOf(local, this.#from[loop]!);
    return i >= 0 && i < this.#to[loop]!;
  }

  /** Looks at the body that the reader is at. Of bytes that are no such body it says that no loop is quiet. */
  scan(reader: Reader): void {
    this.#assigned.length = this.#from.length = this.#to.length = this.#quiet.length = 0;
    this.#open.length = this.#openLoops.length = 0;
    try {
      this.#scan(reader);
    } catch (error) {
      if (!(error instanceof RingzeroError)) throw error;
      this.#quiet.fill(false); // the pass that emits refuses the module, and says why
    }
  }

  #scan(reader: Reader): void {
    const { bytes, end } = reader;
    while (reader.pos < end) {
      const opcode = reader.byte();
      switch (opcode) {
        case 0x02:
        case 0x04:
          this.#open.push(-1);
          reader.skipS64();
          break;
        case 0x03:
          this.#enter(bytes[reader.pos]!);
          reader.skipS64();
          break;
        case 0x0b:
          if (this.#open.length > 0) this.#leave(this.#open.pop()!);
          break;
        case 0x10:
          if (this.#quietFunctions[reader.u32()] !== 1) this.#noise();
          break;
        case 0x21:
        case 0x22: {
          const local = reader.u32();
          if (this.#openLoops.length > 0) this.#assigned.push(local);
          break;
        }
        default:
          this.#other(reader, opcode);
      }
    }
  }

  #other(reader: Reader, opcode: number): void {
    const immediate = IMMEDIATE[opcode]!;
    if (immediate === IMM_REFUSED) throw malformed('unknown opcode', reader.pos - 1);
    if (opcode === 0x40) this.#noise();
    if (immediate === IMM_CALL_INDIRECT) {
      this.#noise();
      reader.u32();
      reader.u32();
    } else if (immediate === IMM_PREFIX) {
      if (!skipPrefixed(reader, opcode)) this.#noise();
    } else skipImmediate(reader, immediate);
  }

  #enter(type: number): void {
    const loop = this.#from.length;
    this.#open.push(loop);
    this.#openLoops.push(loop);
    this.#from.push(this.#assigned.length);
    this.#to.push(this.#assigned.length);
    this.#quiet.push(true);
    // One that takes parameters polls in a way of its own.
    if (type < VOID && this.#map.types[type]?.params.length !== 0) this.#noise();
    else if (type >= 0x80) this.#noise();
  }

  #leave(loop: number): void {
    if (loop < 0) return;
    this.#openLoops.pop();
    this.#to[loop] = this.#assigned.length;
  }

  /** Something here may move the view: none of the loops around it is quiet. */
  #noise(): void {
    for (let i = this.#openLoops.length - 1; i >= 0; i--) {
      const loop = this.#openLoops[i]!;
      if (!this.#quiet[loop]) return; // then none around that one is
      this.#quiet[loop] = false;
    }
  }
}
