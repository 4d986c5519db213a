// Between a worker of the bench page and the page: the worker works in slices, between which it
// hears what the page wants.

export const MIB = 2 ** 20;
/** Milliseconds of work without a look at the page's messages. */
export const SLICE_MS = 20;

/** What the page asked for since the worker last looked. */
export const wanted = { isStopped: true, forks: 0 };

export const post = (message: object): void => self.postMessage(message);

/** Now, by a clock that all threads of the page share: milliseconds. */
export const now = (): number => performance.timeOrigin + performance.now();

/** The page's messages are heard in between. */
export const breath = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve();
    port2.postMessage(0);
  });

export async function bytesOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
