/** Stands between a client and a server, so that a test can end the connection for good. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Relay {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: string) {
    const [host, port] = server.split(':');
    this.#listener = createServer((near) => {
      const far = connect(Number(port), host);
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  /** `server`: `host:port`. */
  static async to(server: string): Promise<Relay> {
    const relay = new Relay(server);
    relay.#listener.listen(0, '127.0.0.1');
    await once(relay.#listener, 'listening');
    return relay;
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Ends all connections and takes no more. */
  end(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    // Either side may end at any time, and its end is the other's.
    from.on('error', () => undefined);
    from.on('close', () => to.destroy());
  }
}
