// The server's numbers for Prometheus: options metrics-port and metrics-bind.

import { RingzeroError } from '../errors.ts';
import { serveText, type TextServer } from '../platform/http.ts';
import { EXPOSITION_TYPE } from '../vm/stats.ts';

const PATH = '/metrics';
const PORT_MAX = 65535;

/** Fails with RZ_OPTION, and with RZ_IO when it cannot listen. */
export async function startMetrics(
  port: string,
  host: string,
  metrics: () => string,
): Promise<TextServer> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > PORT_MAX)
    throw new RingzeroError('RZ_OPTION', `option 'metrics-port' is '${port}'; allowed: 0 to ${PORT_MAX}, 0 = any free one`); // prettier-ignore
  try {
    return await serveText({ host, port: Number(port) }, PATH, EXPOSITION_TYPE, metrics);
  } catch (error) {
    throw new RingzeroError('RZ_IO', `Could not serve metrics at ${host}:${port}: ${(error as Error).message}`, { cause: error }); // prettier-ignore
  }
}
