// One text, served over HTTP by Node: for monitors that come and ask.

import { createServer } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';

export interface TextServer {
  readonly url: string;
  /** Ends it, and the connections that monitors keep open. */
  close(): void;
}

/** Monitors are few; descriptors are for clients. */
const CONNECTIONS_MAX = 16;

/**
 * Whether a request that came over the loopback interface was meant for a name that is not this machine's: a page whose
 * name its owner has pointed to 127.0.0.1 may otherwise read the answer (DNS rebinding).
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
 * Serves what `text()` returns at `path`, anew for each request; other paths are 404, other methods 405, and what `text()` throws is 503.
 * At the loopback interface, requests by any name but localhost are 403. Does not keep the process alive. Rejects with the system's error, such as EADDRINUSE.
 */
export function serveText(
  at: { host: string; port: number },
  path: string,
  contentType: string,
  text: () => string,
): Promise<TextServer> {
  const server = createServer(({ url = '', method, headers: { host } }, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }); // prettier-ignore
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
