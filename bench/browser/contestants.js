// The contestants of the browser bench, in a worker: the store, sqlite-wasm on its fastest OPFS file system, IndexedDB.
// Keys are text of 16 bytes, values text of 100. Times are milliseconds for so many operations.

import { MicroVM } from '../../dist/browser/index.js';
import { RingzeroLevel } from '../../dist/browser/level.js';
import initSqlite from '../../node_modules/@sqlite.org/sqlite-wasm/dist/index.mjs';

const MIB = 2 ** 20;
const CACHE_BYTES = 512 * MIB;
const LOAD_STEP = 10_000;

// Concatenations are put together when they are first read: whoever came first would pay for the others.
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const flat = (text) => decoder.decode(encoder.encode(text));

const keyOf = (i) => flat(`key${String(i).padStart(13, '0')}`);
const valueOf = (i) => flat(`value ${i} `.padEnd(100, 'abcdefghij'));

let state = 1;
function randomKeys(count, keys) {
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return keyOf(Math.floor((state / 2 ** 32) * keys));
  });
}

/** Milliseconds that `body` takes. */
async function timed(body) {
  const before = performance.now();
  await body();
  return performance.now() - before;
}

function check(value, key) {
  if (value !== valueOf(Number(key.slice(3)))) throw new Error(`${key} gave ${value}`);
}

/** Keys and values from number `from` on, as many as one step of a load takes. */
const step = (from, keys) =>
  Array.from({ length: Math.min(LOAD_STEP, keys - from) }, (_, i) => [keyOf(from + i), valueOf(from + i)]); // prettier-ignore

function ringzero() {
  let db;
  const open = (durable = false) =>
    (db = new RingzeroLevel('bench', { poolSize: CACHE_BYTES, durable })).open();
  return {
    async begin() {
      await RingzeroLevel.destroy('bench');
      await open();
    },
    put(puts) {
      db.batchSync(puts.map(([key, value]) => ({ type: 'put', key, value })));
    },
    async end() {
      await db.close(); // everything is in the file
      await open();
    },
    gets(asked) {
      for (const key of asked) db.getSync(key);
    },
    check(asked) {
      for (const key of asked) check(db.getSync(key), key);
    },
    scan() {
      let count = 0;
      for (const [key, value] of db.rangeSync({})) count += key.length > 0 && value.length > 0;
      return count;
    },
    async beDurable() {
      await db.close();
      await open(true);
    },
    batch(puts) {
      db.batchSync(
        puts.map(([key, value]) => ({ type: 'put', key, value })),
        { sync: true },
      );
    },
    async close() {
      await db.close();
      await RingzeroLevel.destroy('bench');
    },
  };
}

/** In one exclusive connection; `synchronous` off, as the store promises nothing before it is closed. */
function sqlite() {
  let db, one, put, set, pool;
  /** One transaction. */
  const run = (statement, puts) => {
    db.exec('BEGIN');
    for (const [key, value] of puts) {
      statement.bind(1, key).bind(2, value).step();
      statement.reset();
    }
    db.exec('COMMIT');
  };
  return {
    async begin() {
      const sqlite3 = await initSqlite();
      pool = await sqlite3.installOpfsSAHPoolVfs({ clearOnInit: true });
      db = new pool.OpfsSAHPoolDb('/bench.db');
      db.exec(
        `PRAGMA page_size = 4096; PRAGMA locking_mode = exclusive; PRAGMA journal_mode = off; PRAGMA synchronous = off;
         PRAGMA cache_size = -${CACHE_BYTES / 1024}; CREATE TABLE kv (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID`,
      );
      one = db.prepare('SELECT v FROM kv WHERE k = ?');
      put = db.prepare('INSERT INTO kv VALUES (?, ?)');
    },
    put(puts) {
      run(put, puts);
    },
    end() {
      put.finalize();
    },
    gets(asked, then = () => {}) {
      db.exec('BEGIN');
      for (const key of asked) {
        one.bind(1, key).step();
        then(one.get(0), key);
        one.reset();
      }
      db.exec('COMMIT');
    },
    check(asked) {
      this.gets(asked, check);
    },
    scan() {
      let count = 0;
      const all = db.prepare('SELECT k, v FROM kv ORDER BY k');
      while (all.step()) count += all.get(0).length > 0 && all.get(1).length > 0;
      all.finalize();
      return count;
    },
    /** A write-ahead log, synced at each commit: the fastest of its journals that keep what is committed. */
    beDurable() {
      const mode = db.selectValue('PRAGMA journal_mode = wal');
      if (mode !== 'wal') throw new Error(`a journal of ${mode}`);
      db.exec('PRAGMA synchronous = full');
      set = db.prepare('REPLACE INTO kv VALUES (?, ?)');
    },
    batch(puts) {
      run(set, puts);
    },
    async close() {
      set?.finalize();
      one.finalize();
      db.close();
      await pool.removeVfs();
    },
  };
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.oncomplete = () => resolve();
    request.onerror = request.onabort = () => reject(request.error);
  });
}

/** With all gets of a call under way at once in one transaction, which is its fastest. */
function indexedDb() {
  let db;
  const run = (puts, durability) => {
    const transaction = db.transaction('kv', 'readwrite', { durability });
    const store = transaction.objectStore('kv');
    for (const [key, value] of puts) store.put(value, key);
    return done(transaction);
  };
  return {
    async begin() {
      await done(indexedDB.deleteDatabase('bench'));
      const opening = indexedDB.open('bench');
      opening.onupgradeneeded = () => opening.result.createObjectStore('kv');
      db = await done(opening);
    },
    put: (puts) => run(puts, 'relaxed'),
    end() {},
    async gets(asked) {
      const store = db.transaction('kv').objectStore('kv');
      return await Promise.all(asked.map((key) => done(store.get(key))));
    },
    async check(asked) {
      for (const [i, value] of (await this.gets(asked)).entries()) check(value, asked[i]);
    },
    async scan() {
      const values = await done(db.transaction('kv').objectStore('kv').getAll());
      return values.length;
    },
    beDurable() {},
    batch: (puts) => run(puts, 'strict'),
    async close() {
      db.close();
      await done(indexedDB.deleteDatabase('bench'));
    },
  };
}

const contestants = { ringzero: ringzero(), sqlite: sqlite(), indexedDb: indexedDb() };

const requests = {
  /** Without the making of keys and values. */
  async load(name, keys) {
    const { begin, put, end } = contestants[name];
    let ms = await timed(begin);
    for (let at = 0; at < keys; at += LOAD_STEP) {
      const puts = step(at, keys);
      ms += await timed(() => put(puts));
    }
    return ms + (await timed(end));
  },
  async gets(name, count, keys) {
    const asked = randomKeys(count, keys);
    await contestants[name].check(asked.slice(0, 100));
    return timed(() => contestants[name].gets(asked));
  },
  async scan(name, keys) {
    let found;
    const ms = await timed(async () => (found = await contestants[name].scan()));
    if (found !== keys) throw new Error(`${name} scanned ${found} of ${keys}`);
    return ms;
  },
  beDurable: (name) => contestants[name].beDurable(),
  /** `count` batches of 1000 new values each for keys anywhere, each on the device before the next. */
  batches(name, count, keys) {
    const all = Array.from({ length: count }, () =>
      randomKeys(1000, keys).map((key) => [key, valueOf(Number(key.slice(3)))]),
    );
    return timed(async () => {
      for (const puts of all) await contestants[name].batch(puts);
    });
  },
  close: (name) => contestants[name].close(),
  /** Milliseconds of each of `count` snapshots of a guest that has touched all of `bytes`; some pages are written between them. */
  async snapshots(guest, bytes, count) {
    const vm = await MicroVM.create({ guest: Uint8Array.from(guest), guestLimit: 52000 * 65536 });
    const { touch } = vm.enter().exports;
    touch(0, bytes / 4096, 1);
    const times = [];
    for (let i = 0; i < count; i++) {
      let snapshot;
      times.push(await timed(() => void (snapshot = vm.snapshot())));
      touch(i * 97, 50, i);
      await snapshot.release();
    }
    await vm.close();
    return times;
  },
  /** Milliseconds to the first call of a small guest, each time in a VM of its own; the modules are compiled by then. */
  async boots(guest, count) {
    const times = [];
    for (let i = 0; i < count; i++) {
      let vm;
      times.push(
        await timed(async () => {
          vm = await MicroVM.create({ guest: Uint8Array.from(guest), memory: 2 ** 26 });
          vm.enter().exports.put(64, i);
        }),
      );
      await vm.close();
    }
    return times;
  },
};

self.onmessage = async ({ data: { act, args } }) => {
  try {
    self.postMessage((await requests[act](...args)) ?? null);
  } catch (error) {
    self.postMessage({ failed: `${act}: ${error.stack} ${error.cause?.message ?? ''}` });
  }
};
