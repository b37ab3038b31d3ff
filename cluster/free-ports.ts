/**
 * Ports that are free now, below those that the system gives to outgoing connections. One of the
 * latter would not do: while a server is down, a client that keeps dialling it is sooner or later
 * given the very port it dials, connects to itself, and the server finds its port taken.
 */

import { type Listener, type Network, RuntimeError } from '../src/runtime/runtime.ts';

const FIRST_PORT = 12_000;
const PORTS = 20_000;
/** Programs that run side by side, as tests do, start this far apart: what one has found and not yet used, no other takes. */
const DISTANCE = 100;

let next = process.pid * DISTANCE;

/**
 * That many different ports of the loopback interface that are free now; a program that does not
 * look for ports here may still be quicker. No port is given twice before all the others were tried.
 */
export async function findFreePorts(network: Network, count: number): Promise<number[]> {
  // All listeners stay open until the end, so that no port is found twice.
  const listeners: Listener[] = [];
  while (listeners.length < count) {
    const listener = await tryListen(network, nextPort());
    if (listener !== undefined) listeners.push(listener);
  }
  const ports = listeners.map((listener) => listener.address.port);
  await Promise.all(listeners.map((listener) => listener.close()));
  return ports;
}

function nextPort(): number {
  const port = FIRST_PORT + (next % PORTS);
  next += 1;
  return port;
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
