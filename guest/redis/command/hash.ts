// The hash commands.

export function register(): void {}
