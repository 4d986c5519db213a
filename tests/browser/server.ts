// A static server for pages under test: files of the package as they are, with the headers that isolate a
// page, or without.

import { createServer, type Server } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AddressInfo } from 'node:net';

/** The package's folder. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves a folder, the package's by default, at a port of this machine, any free one by default. */
export async function serve({
  isolated,
  root = ROOT,
  port = 0,
}: {
  isolated: boolean;
  root?: string;
  port?: number;
}): Promise<Site> {
  const server = createServer((request, response) => {
    void answer(root, request.url!).then(({ status, headers, body }) => {
      response.writeHead(
        status,
        isolated && body !== undefined ? { ...headers, ...ISOLATION } : headers,
      );
      response.end(body);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: at } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${at}`, close: () => close(server) };
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

/**
 * A file; of a folder, its index.html, at an address that ends in a slash, so that the links in it lead where
 * they should.
 */
async function answer(root: string, url: string): Promise<Answer> {
  try {
    const { pathname, search } = new URL(url, 'http://x');
    const path = normalize(decodeURIComponent(pathname));
    const isFolder = (await stat(root + path)).isDirectory();
    if (isFolder && !path.endsWith('/'))
      return { status: 301, headers: { Location: `${pathname}/${search}` } };
    const file = isFolder ? `${path}index.html` : path;
    const body = await readFile(root + file);
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    return { status: 200, headers: { 'Content-Type': type }, body };
  } catch {
    return { status: 404 };
  }
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
