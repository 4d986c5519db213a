import { serve } from './serve.ts';
import { sqlJs } from './sql-js.ts';

export const main = serve(sqlJs);
