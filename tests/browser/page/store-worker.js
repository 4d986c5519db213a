// A worker with a store in the origin private file system. Each function is one request of a test.

import { RingzeroLevel } from '/dist/browser/level.js';

const MIB = 2 ** 20;
let db;

const keyOf = (i) => `key ${String(i).padStart(6, '0')}`;
const valueOf = (i) => `value ${i} `.repeat(1 + (i % 30));

const requests = {
  async open(location, options) {
    db = new RingzeroLevel(location, { poolSize: MIB, ...options });
    await db.open();
    return db.stats().entries;
  },
  async close() {
    await db.close();
  },
  async destroy(location) {
    await RingzeroLevel.destroy(location);
  },
  /** Writes a range of keys. */
  fill(from, to, options = {}) {
    for (let i = from; i < to; i += 100)
      db.batchSync(
        Array.from({ length: 100 }, (_, k) => ({
          type: 'put',
          key: keyOf(i + k),
          value: valueOf(i + k),
        })),
        options,
      );
    return db.stats();
  },
  /** How many of a range are not what fill() wrote, by look-ups here and there and by one scan. */
  wrong(from, to) {
    let wrong = 0;
    for (let i = from; i < to; i++) {
      const at = from + ((i * 7919) % (to - from));
      if (db.getSync(keyOf(at)) !== valueOf(at)) wrong++;
    }
    let at = from;
    for (const [key, value] of db.rangeSync({ gte: keyOf(from), lt: keyOf(to) })) {
      if (key !== keyOf(at) || value !== valueOf(at)) wrong++;
      at++;
    }
    return wrong + (to - at);
  },
  /** Text that is not ASCII, bytes, JSON, long values. */
  async kinds() {
    const text = 'żółw 🐢 \u0000 end'.repeat(3);
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 31);
    await db.put('text', text);
    await db.put('bytes', bytes, { valueEncoding: 'view' });
    await db.put('json', { a: [1, text] }, { valueEncoding: 'json' });
    await db.put('buffer', bytes.slice(0, 10), { valueEncoding: 'buffer' });
    const read = await db.get('bytes', { valueEncoding: 'view' });
    const short = await db.get('buffer', { valueEncoding: 'buffer' });
    const { a } = await db.get('json', { valueEncoding: 'json' });
    return {
      text: (await db.get('text')) === text && a[1] === text,
      keys: (await db.keys({ gte: 'b', lt: 'c' }).all()).join(),
      bytes: read.length === bytes.length && read.every((byte, i) => byte === bytes[i]),
      short: [...short].join(),
    };
  },
  /** The same store in a thread of this one; it writes and reads. */
  async inThread() {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(import.meta.url, { type: 'module', name: 'attached' });
    worker.postMessage({ handle: db.handle, port: port2 }, [port2]);
    const answer = await new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    worker.terminate();
    return { ...answer, here: db.getSync('from the thread') };
  },
  endless() {
    for (let i = 0; ; i++) requests.fill((i % 100) * 100, (i % 100) * 100 + 100);
  },
  /** Adds keys, and tells all pages how many are durable. */
  grow() {
    const channel = new BroadcastChannel('durable');
    for (let i = 0; ; i += 100) {
      requests.fill(i, i + 100, { sync: true });
      channel.postMessage(i + 100);
    }
  },
  verify() {
    return db.verifySync();
  },
};

if (self.name === 'attached') {
  self.onmessage = async ({ data: { handle, port } }) => {
    try {
      const other = RingzeroLevel.attach(handle);
      await other.open();
      other.putSync('from the thread', 'hello');
      port.postMessage({ there: other.getSync('key 000007') === valueOf(7) });
      await other.close();
    } catch (error) {
      port.postMessage({ failed: error.code, message: String(error.cause ?? error) });
    }
  };
} else {
  self.onmessage = async ({ data: { act, args } }) => {
    try {
      self.postMessage(await requests[act](...args));
    } catch (error) {
      const { code, message } = error.cause?.code === undefined ? error : error.cause;
      self.postMessage({ failed: code, message });
    }
  };
}
