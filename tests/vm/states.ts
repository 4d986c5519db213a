// What the tests of states have in common.

import * as assert from 'uvu/assert';
import { RingzeroError } from '../../host/index.ts';

export async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as unknown as BodyInit).arrayBuffer());
}

/** The code with which an action fails, or `none`. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, RingzeroError);
    return (error as RingzeroError).code;
  }
  return 'none';
}
