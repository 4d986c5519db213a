// Where a program and its JavaScript glue meet. In an image for MicroVM.load the host sees each
// crossing, and an exported function is what it is in the plain module: one WebAssembly function, the
// same as in tables.
//
//   exported   inside ? f(args) : call.TYPE(place, args)       what glue and tables have
//   entry      enter, inside = 1, f(args), inside = 0, leave   what the host calls for call.TYPE
//   import     inside = 0, if (a snapshot is active) expose.TYPE(index, args), the import, inside = as before
//
// Interface   glueCalls() are the functions of the host, by their types; gluedExport() and
//             exposeArguments() make code. Types are letters: the parameters, and for call.TYPE a dot
//             and the results.
// Invariants  GLUE-1  `inside` is nonzero exactly while the vCPU runs the program and not JavaScript. A
//                     call that throws leaves it 0, or the host sets it to 0, which is right where
//                     JavaScript catches the exception. Emscripten's `invoke_` imports call a function of
//                     the table, and nothing else of the program but its stack pointer: they count as the
//                     program, or what they call would go through JavaScript at each exported function.
// Cost        A load and a branch where the program calls an exported function by its table; two loads
//             and a branch on the way into JavaScript.

import {
  VCPU_DEPTH,
  VCPU_EPOCH,
  VCPU_IDLE,
  VCPU_RUNNING,
  VCPU_STATE,
  VCPU_VM,
} from '../../assembly/abi/vcpu-block.ts';
import { VM_ACTIVE, VM_EPOCH } from '../../assembly/abi/vm-block.ts';
import { Code } from './code.ts';
import type { KernelCall } from './indices.ts';
import type { VmImage } from './vm-image.ts';
import { KIND_FUNCTION } from './kinds.ts';
import type { Types } from './types.ts';
import type { FunctionType, ModuleMap } from './module.ts';
import { EXTERNREF, F32, F64, FUNCREF, I32, I64, OP, REF_EXTERN, REF_FUNC } from './opcode.ts';

const LETTERS = new Map([
  [I32, 'i'],
  [I64, 'j'],
  [F32, 'f'],
  [F64, 'd'],
  [FUNCREF, 'p'],
  [EXTERNREF, 'e'],
  [REF_FUNC, 'q'],
  [REF_EXTERN, 'x'],
]);

/** A reference to the module's type has its number for a letter. */
const letterOf = (type: number): string | undefined =>
  type < 0 ? String.fromCharCode(0x4e00 - type) : LETTERS.get(type);

const lettersOf = (types: Types): string => Array.from(types, letterOf).join('');

/** JavaScript has neither vectors nor references to exceptions: only the program calls such a function. */
const crosses = ({ params, results }: FunctionType): boolean =>
  [...params, ...results].every((type) => letterOf(type) !== undefined);

const callName = ({ params, results }: FunctionType): string =>
  `call.${lettersOf(params)}.${lettersOf(results)}`;

/** The import may get an address. */
const exposes = (type: FunctionType): boolean => crosses(type) && type.params.includes(I32);

const exposeName = ({ params }: FunctionType): string => `expose.${lettersOf(params)}`;

/** What an image of the module imports from the host for its crossings. */
export function glueCalls(map: ModuleMap): KernelCall[] {
  const calls = new Map<string, KernelCall>();
  for (const { kind, index } of map.exports) {
    if (kind !== KIND_FUNCTION) continue;
    const type = map.typeOf(index);
    const name = callName(type);
    if (crosses(type)) calls.set(name, [name, [I32, ...type.params], [...type.results]]);
  }
  for (let i = 0; i < map.importedFunctions; i++) {
    const type = map.typeOf(i);
    const name = exposeName(type);
    if (exposes(type)) calls.set(name, [name, [I32, ...type.params], []]);
  }
  return [...calls.values()];
}

/** The exported form of the function `old`, the `place`-th of those exported. */
export function gluedExport(image: VmImage, code: Code, old: number, place: number): number[] {
  const type = image.map.typeOf(old);
  if (crosses(type)) {
    code.globalGet(image.insideGlobal).op(OP.i32Eqz).if();
    code.i32(place);
    image.arguments(code, type);
    code
      .call(image.kernel(callName(type)))
      .op(OP.return)
      .end();
  }
  image.arguments(code, type);
  code.call(image.functionIndex(old));
  return [];
}

/**
 * The kernel's enter() and leave() in line, because glue makes many short calls. The kernel is called
 * if the vCPU is inside already, or if the epoch has moved.
 */
export function gluedEntry(image: VmImage, code: Code, old: number): number[] {
  const type = image.map.typeOf(old);
  const depth = type.params.length; // a local
  const vcpu = (): Code => code.globalGet(image.vcpuGlobal);
  const word = (offset: number): Code => vcpu().memory(OP.i32Load, 2, offset);
  word(VCPU_DEPTH).op(OP.i32Eqz).if();
  vcpu().i32(VCPU_RUNNING).memory(OP.i32AtomicStore, 2, VCPU_STATE); // before the epoch is read
  word(VCPU_VM).memory(OP.i32AtomicLoad, 2, VM_EPOCH);
  word(VCPU_EPOCH).op(OP.i32Ne).unlikelyIf().call(image.kernel('enter'));
  code.else();
  vcpu().i32(1).memory(OP.i32Store, 2, VCPU_DEPTH).end();
  code.else().call(image.kernel('enter')).end();
  image.refresh(code);
  code.i32(1).globalSet(image.insideGlobal);
  image.arguments(code, type);
  code.call(image.functionIndex(old));
  code.i32(0).globalSet(image.insideGlobal);
  vcpu();
  word(VCPU_DEPTH).i32(1).op(OP.i32Sub).tee(depth).memory(OP.i32Store, 2, VCPU_DEPTH);
  code.get(depth).op(OP.i32Eqz).if().fence();
  vcpu().i32(VCPU_IDLE).memory(OP.i32Store, 2, VCPU_STATE).end();
  return [I32];
}

/** Whether the import calls a function of the table and catches what it throws. */
export function invokes({ module, name }: ModuleMap['imports'][number]): boolean {
  return module === 'env' && name.startsWith('invoke_');
}

/** Before the import `index` is called. */
export function exposeArguments(image: VmImage, code: Code, index: number): void {
  const type = image.map.typeOf(index);
  if (!exposes(type)) return;
  code.globalGet(image.vcpuGlobal).memory(OP.i32Load, 2, VCPU_VM).memory(OP.i32Load, 2, VM_ACTIVE);
  code.unlikelyIf().i32(index);
  image.arguments(code, type);
  code.call(image.kernel(exposeName(type))).end();
}
