/**
 * Ports that are free now, below those that the system gives to outgoing connections. One of the
 * latter would not do: while a server is down, a client that keeps dialling it is sooner or later
 * given the very port it dials, connects to itself, and the server finds its port taken.
 */

import { randomInt } from 'node:crypto';
import { type Listener, type Network, RuntimeError } from '../src/runtime/runtime.ts';

const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;

/** That many different ports of the loopback interface that are free now; another program may still be quicker. */
export async function findFreePorts(network: Network, count: number): Promise<number[]> {
  // All listeners stay open until the end, so that no port is found twice.
  const listeners: Listener[] = [];
  while (listeners.length < count) {
    const listener = await tryListen(network, randomInt(FIRST_PORT, LAST_PORT));
    if (listener !== undefined) listeners.push(listener);
  }
  const ports = listeners.map((listener) => listener.address.port);
  await Promise.all(listeners.map((listener) => listener.close()));
  return ports;
}

/** undefined when the port is taken. */
async function tryListen(network: Network, port: number): Promise<Listener | undefined> {
  try {
    return await network.listen({ host: '127.0.0.1', port }, (stream) => {
      stream.attach({ onData: () => undefined, onClose: () => undefined });
      stream.destroy();
    });
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'ADDRESS_IN_USE') return undefined;
    throw error;
  }
}
