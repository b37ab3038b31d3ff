/** TCP through `node:net`. */

import { createServer, type Server, type Socket } from 'node:net';
import { invariant } from '../../base/assert.ts';
import {
  type Address,
  type ByteStream,
  type Listener,
  type ListenOptions,
  type Network,
  RuntimeError,
  type RuntimeErrorCode,
} from '../runtime.ts';
import {
  addressText,
  errorText,
  NodeStream,
  SOCKET_OPTIONS,
  type SocketHandle,
  systemCode,
} from './node-stream.ts';

/** Deep enough for all clients of a server that died to come at once. */
const DEFAULT_BACKLOG = 1024;

/** The part of a listening server that hands over connections before a `Socket` is made of them. */
interface ListeningHandle {
  onconnection: (error: number, handle: SocketHandle | undefined) => void;
}

export class NodeNetwork implements Network {
  readonly #takesHandles: boolean;

  /**
   * `takesHandles`: makes the sockets of accepted connections itself where Node lets it, to read them
   * into shared memory. Node has an option for that, and no way to name it for a server.
   */
  constructor(takesHandles = true) {
    this.#takesHandles = takesHandles;
  }

  listen(options: ListenOptions, onStream: (stream: ByteStream) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const accept = (source: Socket | SocketHandle): void => {
        const stream = NodeStream.accepted(source);
        onStream(stream);
        invariant(stream.isAttached, 'an accepted stream was not attached');
      };
      const server = createServer({ ...SOCKET_OPTIONS, noDelay: true }, accept);
      const place = addressText({ host: options.host ?? '*', port: options.port });
      server.once('error', (error) => {
        reject(listenError(error, place));
      });
      const { host, port, backlog = DEFAULT_BACKLOG } = options;
      server.listen(host === undefined ? { port, backlog } : { host, port, backlog }, () => {
        server.removeAllListeners('error');
        // Errors of single accepts, such as too many open files: the listener goes on, and who
        // could not be accepted finds out by itself.
        server.on('error', () => undefined);
        const handle = this.#takesHandles ? listeningHandle(server) : undefined;
        if (handle !== undefined) {
          handle.onconnection = (error, connection) => {
            if (error === 0 && connection !== undefined) accept(connection);
          };
        }
        resolve(new NodeListener(server));
      });
    });
  }

  connect(address: Address, timeoutMs: number): ByteStream {
    return NodeStream.dialled(address, timeoutMs);
  }
}

class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const bound = server.address();
    invariant(bound !== null && typeof bound === 'object', 'a listening server has an address');
    this.address = { host: bound.address, port: bound.port };
  }

  /** Node's own callback waits for all connections to end; ours are closed by whoever holds them. */
  close(): Promise<void> {
    this.#server.close();
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Undefined where Node keeps it elsewhere, or in another shape. */
function listeningHandle(server: Server): ListeningHandle | undefined {
  const handle: unknown = '_handle' in server ? server._handle : undefined;
  const isKnown = typeof handle === 'object' && handle !== null && 'onconnection' in handle;
  return isKnown && typeof handle.onconnection === 'function'
    ? (handle as ListeningHandle)
    : undefined;
}

const LISTEN_CODES: Readonly<Record<string, RuntimeErrorCode>> = {
  EADDRINUSE: 'ADDRESS_IN_USE',
  EADDRNOTAVAIL: 'ADDRESS_UNAVAILABLE',
  ENOTFOUND: 'ADDRESS_UNAVAILABLE',
  EAI_AGAIN: 'ADDRESS_UNAVAILABLE',
  EACCES: 'ACCESS_DENIED',
  EPERM: 'ACCESS_DENIED',
};

function listenError(error: Error, place: string): RuntimeError {
  const code = LISTEN_CODES[systemCode(error)] ?? 'IO';
  return new RuntimeError(code, `cannot listen on ${place}: ${errorText(error)}`, {
    cause: error,
  });
}
