// The endpoint for Prometheus: options metrics-port and metrics-bind.

import { RingzeroError } from '../errors.ts';
import { serveText, type TextServer } from '../platform/http.ts';
import { EXPOSITION_TYPE } from '../vm/stats.ts';

const PATH = '/metrics';

/** Fails with RZ_IO when it cannot listen. */
export async function startMetrics(
  port: number,
  host: string,
  metrics: () => string,
): Promise<TextServer> {
  try {
    return await serveText({ host, port }, PATH, EXPOSITION_TYPE, metrics);
  } catch (error) {
    throw new RingzeroError(
      'RZ_IO',
      `Could not serve metrics at ${host}:${port}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
