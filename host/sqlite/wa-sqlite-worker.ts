import { serve } from './serve.ts';
import { waSqlite } from './wa-sqlite.ts';

export const main = serve(waSqlite);
