// Where the server listens: the addresses of option `bind`, and a Unix socket.

import { RingzeroError } from '../errors.ts';
import { listen, type Connection, type ListenAt, type Listener } from '../platform/sockets.ts';

/** An address or socket. An `optional` one may be missing on this machine. */
export type Endpoint = ListenAt & { readonly optional?: boolean };

/**
 * The options that say where to listen; `mode` has the permissions of the Unix socket, undefined = the
 * umask's.
 */
interface EndpointOptions {
  readonly port: number;
  readonly bind: string;
  readonly unixsocket: string | undefined;
  readonly mode: number | undefined;
  readonly backlog: number;
}

/** With port 0 and a Unix socket, nothing listens at an address. */
export function endpointsOf({
  port,
  bind,
  unixsocket,
  mode,
  backlog,
}: EndpointOptions): Endpoint[] {
  const endpoints: Endpoint[] = [];
  if (port !== 0 || unixsocket === undefined) {
    for (const text of bind.split(/\s+/).filter((word) => word !== ''))
      endpoints.push({ host: hostOf(text), port, backlog, optional: text.startsWith('-') });
  }
  if (unixsocket !== undefined && unixsocket !== '')
    endpoints.push({ path: unixsocket, mode, backlog });
  return endpoints;
}

/** Listens. Undefined for an optional address that the machine does not have. Rejects with RZ_IO. */
export async function listenAt(
  endpoint: Endpoint,
  accept: (connection: Connection) => void,
): Promise<Listener | undefined> {
  try {
    return await listen(endpoint, accept);
  } catch (error) {
    if (endpoint.optional === true && isAbsent(error)) return undefined;
    const where = nameOf(endpoint, 'port' in endpoint ? endpoint.port : 0);
    const why = (error as Error).message;
    throw new RingzeroError('RZ_IO', `Could not listen at ${where}: ${why}`, { cause: error });
  }
}

/** The endpoint as messages show it, with the port that is in use. */
export function nameOf(endpoint: Endpoint, port: number): string {
  return 'path' in endpoint ? endpoint.path : `${endpoint.host}:${port}`;
}

/** Whether the machine does not have that address. */
function isAbsent(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(String((error as { code?: unknown }).code));
}

/** An address of redis.conf: `*` is any, and a leading `-` makes it optional. */
function hostOf(text: string): string {
  const address = text.replace(/^-/, '');
  return address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address;
}
