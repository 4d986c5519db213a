// A program that hands WASI's own functions out, so that tests can call them with any argument.

import { MicroVM, type GuestFunction, type Program, type WasiOptions } from '../../host/index.ts';
import { WASI_FUNCTIONS, WASI_PARAMETERS, type WasiFunction } from '../../host/wasi/abi.ts';
import { physicalBuffer } from '../../host/physical-buffer.ts';
import { assemble } from '../vm/guests.ts';

const wat = (letters: string): string =>
  [...letters].map((letter) => `(param ${letter === 'i' ? 'i32' : 'i64'})`).join(' ');

/**
 * Forwards every function, pokes memory, grows it, and can bind a handler that counts system calls or refuses
 * them.
 */
export const REACTOR = assemble(`(module
  ${WASI_FUNCTIONS.map(
    (name) =>
      `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${wat(WASI_PARAMETERS[name])} ${name === 'proc_exit' ? '' : '(result i32)'}))`,
  ).join('\n')}
  (import "libdbos" "setHandler" (func $setHandler (param i32 i32)))
  (import "libdbos" "proxy" (func $proxy (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4 16)
  (table (export "table") 3 funcref)
  (elem (i32.const 1) $handler)
  (global $ready (mut i32) (i32.const 0))
  ;; remembers number, count of arguments and the first one; refuses what is stored at 65000
  (func $handler (param $nr i32) (param $at i32) (param $count i32) (param i32 i32 i32) (result i32)
    (i32.store (i32.const 65004) (local.get $nr))
    (i32.store (i32.const 65008) (local.get $count))
    (i64.store (i32.const 65016) (i64.load (local.get $at)))
    (if (i32.eq (local.get $nr) (i32.load (i32.const 65000))) (then (return (i32.const 63))))
    (call $proxy (local.get $nr) (local.get $at) (local.get $count) (i32.const 0) (i32.const 0) (i32.const 0)))
  (func (export "_initialize") (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
  (func (export "ready") (result i32) (global.get $ready))
  (func (export "handle") (param i32) (call $setHandler (i32.const 33) (local.get 0)))
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "poke32") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "peek32") (param i32) (result i32) (i32.load (local.get 0)))
  ${WASI_FUNCTIONS.map((name) => `(export "${name}" (func $${name}))`).join('\n')}
)`);

/** The reactor with helpers that lay out its arguments; scratch memory starts at 1024. */
export class Reactor {
  readonly program: Program;

  private constructor(program: Program) {
    this.program = program;
  }

  static async load(wasi: WasiOptions = {}): Promise<Reactor> {
    return new Reactor(await MicroVM.load(REACTOR, {}, { memory: 2 ** 24, wasi }));
  }

  /** Calls a function; the error number. */
  call(name: WasiFunction | 'handle' | 'ready', ...args: (number | bigint)[]): number {
    return Number((this.program.exports[name] as unknown as GuestFunction)(...args));
  }

  write(address: number, bytes: Uint8Array): void {
    const poke = this.program.exports['poke'] as unknown as GuestFunction;
    for (const [index, byte] of bytes.entries()) poke(address + index, byte);
  }

  word(address: number, value: number): void {
    (this.program.exports['poke32'] as unknown as GuestFunction)(address, value);
  }

  read(address: number, bytes: number): Uint8Array {
    return new Uint8Array(physicalBuffer(this.program.memory), address, bytes).slice();
  }

  u32(address: number): number {
    return new DataView(this.read(address, 4).buffer).getUint32(0, true);
  }

  /** Puts text at `address`; its address and length as arguments. */
  text(value: string, address = 1024): [address: number, bytes: number] {
    const bytes = new TextEncoder().encode(value);
    this.write(address, bytes);
    return [address, bytes.length];
  }

  /**
   * path_open in descriptor `fd` with all rights that `fd` passes on: a descriptor, or a negative error
   * number.
   */
  open(
    fd: number,
    path: string,
    options: { oflags?: number; rights?: number; follow?: boolean; fdflags?: number } = {},
  ): number {
    const { oflags = 0, rights = 0x1fffffff & ~(1 << 6), follow = true, fdflags = 0 } = options;
    const code = this.call(
      'path_open',
      fd,
      follow ? 1 : 0,
      ...this.text(path),
      oflags,
      BigInt(rights),
      0x1fffffffn,
      fdflags,
      512,
    );
    return code === 0 ? this.u32(512) : -code;
  }

  /** fd_read of up to `bytes` at once: what came, or a negative error number. */
  readFile(fd: number, bytes = 4096): string | number {
    this.word(512, 8192);
    this.word(516, bytes);
    const code = this.call('fd_read', fd, 512, 1, 520);
    return code === 0 ? new TextDecoder().decode(this.read(8192, this.u32(520))) : -code;
  }

  writeFile(fd: number, text: string): number {
    const [address, bytes] = this.text(text, 8192);
    this.word(512, address);
    this.word(516, bytes);
    const code = this.call('fd_write', fd, 512, 1, 520);
    return code === 0 ? this.u32(520) : -code;
  }
}
