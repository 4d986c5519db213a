// Assertions of the checked build (asc --use RZ_CHECKED=1): they vanish in release.

@external('files', 'panic')
declare function hostPanic(code: u32): void;

export const CHECKED: bool = isDefined(RZ_CHECKED);

export function panic(code: u32): void {
  hostPanic(code);
  unreachable();
}
