// For test files that run in a browser: what they use of node:fs, on files that the test server has.

/** A worker may wait for a file. */
export function readFileSync(path: string | URL, encoding?: 'utf8'): Uint8Array | string {
  const request = new XMLHttpRequest();
  request.open('GET', String(path), false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  const bytes = new Uint8Array(request.response as ArrayBuffer);
  return encoding === undefined ? bytes : new TextDecoder().decode(bytes);
}
