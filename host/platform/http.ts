// One text, served over HTTP by Node: for monitors that come and ask.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TextServer {
  readonly url: string;
  /** Ends it, and the connections that monitors keep open. */
  close(): void;
}

/**
 * Serves what `text()` returns at `path`, anew for each request; other paths are 404, other methods 405, and what `text()` throws is 503.
 * Does not keep the process alive. Rejects with the system's error, such as EADDRINUSE.
 */
export function serveText(
  at: { host: string; port: number },
  path: string,
  contentType: string,
  text: () => string,
): Promise<TextServer> {
  const server = createServer(({ url = '', method }, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }); // prettier-ignore
      response.end(method === 'HEAD' ? undefined : body);
    };
    if (url.split('?')[0] !== path) return answer(404, `see ${path}\n`);
    if (method !== 'GET' && method !== 'HEAD') return answer(405, 'GET or HEAD\n');
    let body: string;
    try {
      body = text();
    } catch (error) {
      return answer(503, `${(error as Error).message}\n`);
    }
    answer(200, body, contentType);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.unref();
      resolve({
        url: `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${(server.address() as AddressInfo).port}${path}`,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
