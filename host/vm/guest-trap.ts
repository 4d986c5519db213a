// Turns a trap in the guest into an error that says what happened and where.

import {
  TRAP_CALL_UNHANDLED,
  TRAP_FAULT_AGAIN,
  TRAP_FAULT_NESTED,
  TRAP_FAULT_RESULT,
  TRAP_FAULT_UNHANDLED,
  TRAP_KILLED,
  TRAP_NONE,
  TRAP_OUTSIDE,
  TRAP_SNAPSHOT_LOST,
} from '../../assembly/abi/vcpu-block.ts';
import { IS_RINGZERO_ERROR, RingzeroError, type RingzeroErrorCode } from '../errors.ts';
import { uncatchable } from '../trap.ts';
import type { Kernel } from './kernel.ts';

/** Message of a call on a snapshot that was disposed of. */
export const STOPPED =
  'the call was stopped: its snapshot was disposed of, or killed by its parent';

/**
 * The guest's functions that were running, innermost first, by the names that translator/names.ts gives them.
 */
function guestStack(error: Error): string[] {
  const functions: string[] = [];
  for (const line of (error.stack ?? '').split('\n')) {
    const frame = /^\s*at (?:(.+?) \()?wasm:\/\/\S*wasm-function\[(\d+)\]/.exec(line);
    if (frame === null) continue;
    const name = (frame[1] ?? `function ${frame[2]}`).replace(/^[^.]*\.(?=assembly\/|guest\/)/, '');
    if (!name.startsWith('ringzero.')) functions.push(name);
  }
  return functions;
}

/**
 * RZ_GUEST_TRAP: a RingzeroError that is a WebAssembly.RuntimeError as well, as glue expects of a trap. Its
 * message begins as the engine's does.
 */
export class GuestTrap extends WebAssembly.RuntimeError {
  override readonly name = 'RingzeroError';
  readonly code: RingzeroErrorCode = 'RZ_GUEST_TRAP';
  readonly [IS_RINGZERO_ERROR] = true;
  constructor(message: string, cause?: unknown) {
    super(message);
    if (cause !== undefined) Object.defineProperty(this, 'cause', { value: cause });
  }
}

/**
 * Whether WebAssembly threw it: its first frame is WebAssembly's. JavaScript between the guest's frames
 * throws errors of the same classes (Emscripten's abort() does); those reach the caller unchanged.
 */
function isOfEngine(thrown: Error): boolean {
  const frame = /^\s*at .*$/m.exec(String(thrown.stack))?.[0];
  return frame === undefined || frame.includes('wasm://');
}

/** The error that the caller of a guest function gets when it threw `thrown`. */
export function guestTrap(kernel: Kernel, what: string, thrown: unknown): Error {
  const trapError = (why: string): GuestTrap => {
    const functions = guestStack(thrown as Error);
    const where = functions.length === 0 ? '' : ` in ${functions.join(' < ')}`;
    return uncatchable(new GuestTrap(`${why}${where} (${what})`, thrown));
  };
  const { cause, address } = kernel.takeTrap();
  const isOverflow = thrown instanceof RangeError && /stack/.test(thrown.message);
  if (!(thrown instanceof WebAssembly.RuntimeError) && !isOverflow) return thrown as Error;
  if (!isOfEngine(thrown)) return thrown;
  if (isOverflow) return trapError('Maximum call stack size exceeded');
  switch (cause) {
    case TRAP_NONE:
      return trapError(thrown.message);
    case TRAP_OUTSIDE:
      return trapError(
        `memory access out of bounds: store to 0x${address.toString(16)}, outside guest memory`,
      );
    case TRAP_SNAPSHOT_LOST:
      return uncatchable(
        new RingzeroError(
          'RZ_SNAPSHOT_LOST',
          `${what}: no frame was left for a copy; the snapshot is lost. Raise \`memory\` or lower \`guestLimit\``,
          { cause: thrown },
        ),
      );
    case TRAP_KILLED:
      return kernel.isSnapshot
        ? uncatchable(new RingzeroError('RZ_SNAPSHOT_STOPPED', STOPPED, { cause: thrown }))
        : trapError('it was stopped');
    case TRAP_FAULT_UNHANDLED:
      return trapError(`page fault of page ${address}, and the guest has no onPageFault`);
    case TRAP_CALL_UNHANDLED:
      return trapError(`a remote call of function ${address}, and the guest has no onCall`);
    case TRAP_FAULT_NESTED:
      return trapError(`page fault of page ${address} in a page-fault handler`);
    case TRAP_FAULT_RESULT:
      return trapError(`its page-fault handler returned an invalid result, for page ${address}`);
    case TRAP_FAULT_AGAIN:
      return trapError(`its page-fault handler did not map page ${address}`);
    default:
      return trapError(`trap ${cause} at 0x${address.toString(16)}`);
  }
}

/** Replaces an exported function once its VM is closed. */
export function closed(): never {
  throw new RingzeroError('RZ_VM_CLOSED', 'the VM is unusable: it was closed');
}
