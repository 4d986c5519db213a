import { serve } from './serve.ts';
import { sqliteWasm } from './sqlite-wasm.ts';

export const main = serve(sqliteWasm);
