// Checked builds (asc --use RZ_CHECKED=1): assertions that leave no code in release builds.
//
// Interface   Write `if (CHECKED && !condition) panic(code)` at the site, where the condition states the
//             rule; codes are in abi/panic.ts. panic() never returns; the host turns the code into an error
//             that ends the VM.

@external('hypervisor', 'panic')
declare function hostPanic(code: u32): void;

export const CHECKED: bool = isDefined(RZ_CHECKED);

export function panic(code: u32): void {
  hostPanic(code);
  unreachable();
}
