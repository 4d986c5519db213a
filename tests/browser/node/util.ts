// For test files that run in a browser: its own encoder under Node's name.

export const TextEncoder = globalThis.TextEncoder;
