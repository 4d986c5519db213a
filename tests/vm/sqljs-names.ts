/** Exports of the module by the names that sql.js 1.16.0 has for them. */
export const NAMES = { prepare: 'T', step: 'U', columnText: 'Z', malloc: 'Ia' };
