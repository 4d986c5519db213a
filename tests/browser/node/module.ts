// For test files that run in a browser: createRequire() for packages that are one file, such as sql.js.

import { readFileSync } from './fs.ts';

type Require = ((path: string) => unknown) & {
  resolve(name: string): string;
  cache: Record<string, unknown>;
};

export function createRequire(_from: string): Require {
  const require = (path: string): unknown => {
    const module = { exports: {} as unknown };
    const body = new Function('module', 'exports', 'require', readFileSync(path, 'utf8') as string);
    body(module, module.exports, require);
    return module.exports;
  };
  return Object.assign(require, { resolve: (name: string) => `/node_modules/${name}`, cache: {} });
}
