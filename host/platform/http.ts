// A text served over HTTP by Node, for monitoring systems.

import { createServer } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';

export interface TextServer {
  readonly url: string;
  /** Closes the server, and connections that clients keep open. */
  close(): void;
}

/** Monitoring systems are few; descriptors are for clients. */
const CONNECTIONS_MAX = 16;

/**
 * Whether a request over the loopback interface was meant for another machine's name: a page whose owner
 * points its name to 127.0.0.1 could otherwise read the answer (DNS rebinding).
 */
function isRebound(listening: string, host: string | undefined): boolean {
  const isLoopback = /^(127\.|::1$|localhost$)/.test(listening);
  if (!isLoopback || host === undefined) return false;
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return isIP(name) === 0 && name !== 'localhost' && name !== listening.toLowerCase();
}

/**
 * Serves the result of `text()` at `path`; other paths are 404, other methods 405, and an error of `text()`
 * is 503. On the loopback interface, requests by any name but localhost are 403. Does not keep the process
 * alive. Rejects with the system's error, such as EADDRINUSE.
 */
export function serveText(
  at: { host: string; port: number },
  path: string,
  contentType: string,
  text: () => string,
): Promise<TextServer> {
  const server = createServer(({ url = '', method, headers: { host } }, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
      });
      response.end(method === 'HEAD' ? undefined : body);
    };
    if (isRebound(at.host, host)) return answer(403, 'ask by address, or as localhost\n');
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
  server.maxConnections = CONNECTIONS_MAX;
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
