// An HTTP server with 1 MB of content, whose byte n is n modulo 251. It answers range requests.

import { createServer } from 'node:http';
import { parentPort } from 'node:worker_threads';

const content = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251);

const server = createServer((request, response) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined || Number(from) >= content.length) return response.writeHead(416).end();
  response.writeHead(206).end(content.subarray(Number(from), Number(to) + 1));
});
server.listen(0, '127.0.0.1', () =>
  parentPort.postMessage(`http://127.0.0.1:${server.address().port}/`),
);
