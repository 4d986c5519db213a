// From a trap in the guest to an error that says what happened and where.

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
import { RingzeroError } from '../errors.ts';
import type { Kernel } from './kernel.ts';

/** The functions of the guest that were running, innermost first, from the names in its module. */
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

/** What the caller of a guest function gets to see when it threw `thrown`. */
export function guestTrap(kernel: Kernel, what: string, thrown: unknown): Error {
  const { cause, address } = kernel.takeTrap();
  if (!(thrown instanceof WebAssembly.RuntimeError)) {
    return thrown instanceof RangeError && /stack/.test(thrown.message)
      ? trapError(what, 'its stack is exhausted', thrown)
      : (thrown as Error);
  }
  switch (cause) {
    case TRAP_NONE:
      return trapError(what, thrown.message, thrown);
    case TRAP_OUTSIDE:
      return trapError(what, `store to 0x${address.toString(16)}, outside guest memory`, thrown);
    case TRAP_SNAPSHOT_LOST:
      return new RingzeroError(
        'RZ_SNAPSHOT_LOST',
        `${what}: no frame was left for a copy; the snapshot is lost. Raise \`memory\` or lower \`guestLimit\``,
        { cause: thrown },
      );
    case TRAP_KILLED:
      return trapError(what, 'it was stopped', thrown);
    case TRAP_FAULT_UNHANDLED:
      return trapError(what, `page fault of page ${address}, and there is no onPageFault`, thrown);
    case TRAP_CALL_UNHANDLED:
      return trapError(
        what,
        `a remote call of function ${address}, and there is no onCall`,
        thrown,
      );
    case TRAP_FAULT_NESTED:
      return trapError(what, `page fault of page ${address} in a page-fault handler`, thrown);
    case TRAP_FAULT_RESULT:
      return trapError(what, `its page-fault handler returned what means nothing, for page ${address}`, thrown); // prettier-ignore
    case TRAP_FAULT_AGAIN:
      return trapError(what, `its page-fault handler did not map page ${address}`, thrown);
    default:
      return trapError(what, `trap ${cause} at 0x${address.toString(16)}`, thrown);
  }
}

function trapError(what: string, why: string, thrown: Error): RingzeroError {
  const functions = guestStack(thrown);
  const where = functions.length === 0 ? '' : ` in ${functions.join(' < ')}`;
  return new RingzeroError('RZ_GUEST_TRAP', `${what}: the guest trapped: ${why}${where}`, {
    cause: thrown,
  });
}
