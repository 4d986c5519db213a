// Copies of shared memory for runtime functions that refuse shared bytes: WebCrypto, bodies, blobs, sockets.
//
// Interface   acceptSharedBodies() wraps them in this thread. Each copies shared bytes at the time of the
//             call, which is when the original would copy them, and passes everything else on.
// Invariants  `instanceof`, static functions and subclasses still work with the original classes.
//             Not wrapped: what shares or moves memory. postMessage and structuredClone pass the same memory,
//             and a transfer list refuses it.

type Any = (...args: unknown[]) => unknown;
type Copy = (args: unknown[]) => unknown[];

function isShared(value: unknown): value is ArrayBufferView | SharedArrayBuffer {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  return buffer instanceof SharedArrayBuffer;
}

/** A view of the same kind on a copy; what is not shared is returned unchanged. */
function copyOf(value: unknown): unknown {
  if (!isShared(value)) return value;
  const isView = ArrayBuffer.isView(value);
  const bytes = isView
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  const { buffer } = new Uint8Array(bytes);
  if (!isView) return buffer;
  const View = value.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
  return new View(buffer);
}

/** An options object with copies in place of its shared fields. */
function fieldsOf(value: unknown): unknown {
  if (
    typeof value !== 'object' ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  )
    return value;
  const entries = Object.entries(value);
  if (!entries.some(([, field]) => isShared(field))) return value;
  return Object.fromEntries(entries.map(([name, field]) => [name, copyOf(field)]));
}

const first: Copy = ([body, ...rest]) => [copyOf(body), ...rest];
const initOf: Copy = ([input, ...rest]) => [input, ...rest.map(fieldsOf)];
const all: Copy = (args) => args.map((arg) => fieldsOf(copyOf(arg)));
const parts: Copy = ([list, ...rest]) => [Array.isArray(list) ? list.map(copyOf) : list, ...rest];

const CLASSES: readonly (readonly [name: string, copy: Copy])[] = [
  ['Response', first],
  ['Request', initOf],
  ['Blob', parts],
  ['File', parts],
];
const METHODS: readonly (readonly [className: string, names: readonly string[], copy: Copy])[] = [
  [
    'SubtleCrypto',
    [
      'digest',
      'sign',
      'verify',
      'encrypt',
      'decrypt',
      'importKey',
      'unwrapKey',
      'deriveBits',
      'deriveKey',
    ],
    all,
  ],
  ['WebSocket', ['send'], first],
  ['XMLHttpRequest', ['send'], first],
];

let isDone = false;

export function acceptSharedBodies(): void {
  if (isDone) return;
  isDone = true;
  for (const [name, copy] of CLASSES) wrapClass(name, copy);
  for (const [name, methods, copy] of METHODS) {
    const prototype = (globalOf(name) as { prototype?: object } | undefined)?.prototype;
    if (prototype !== undefined) for (const method of methods) wrap(prototype, method, copy);
  }
  if (globalOf('fetch') !== undefined) wrap(globalThis, 'fetch', initOf);
}

const globalOf = (name: string): unknown => Reflect.get(globalThis, name);

function replace(object: object, name: string, value: unknown): void {
  const { enumerable = false } = Object.getOwnPropertyDescriptor(object, name) ?? {};
  Object.defineProperty(object, name, { value, enumerable, configurable: true, writable: true });
}

function wrap(object: object, name: string, copy: Copy): void {
  const original: unknown = Reflect.get(object, name);
  if (typeof original !== 'function') return;
  const apply = (fn: Any, self: unknown, args: unknown[]): unknown =>
    Reflect.apply(fn, self, copy(args));
  replace(object, name, new Proxy(original as Any, { apply }));
}

function wrapClass(name: string, copy: Copy): void {
  const original = globalOf(name) as (new (...args: unknown[]) => object) | undefined;
  if (original === undefined) return;
  const wrapped = new Proxy(original, {
    construct: (made, args: unknown[], target) =>
      Reflect.construct(made, copy(args), target) as object,
  });
  replace(globalThis, name, wrapped);
  replace(original.prototype as object, 'constructor', wrapped);
}
