/**
 * Ports that are free now, below those that the system gives to outgoing connections. One of the
 * latter would not do: while a server is down, a client that keeps dialling it is sooner or later
 * given the very port it dials, connects to itself, and the server finds its port taken.
 */

import { createServer, type Server } from 'node:net';
import { type Listener, type Network, RuntimeError } from '../src/runtime/runtime.ts';

const FIRST_PORT = 12_000;
const PORTS = 20_000;
/**
 * Ports of an area. A program holds the areas in which it looks, by a listener on the first port of
 * each: what one of several programs side by side has found and not yet used, no other takes.
 */
const AREA_PORTS = 100;
const AREAS = PORTS / AREA_PORTS;

/** Areas are tried from here on, since programs that run side by side differ in it. */
let area = process.pid % AREAS;
/** What is left of the area that is held last: the next port, and the end. */
let next = 0;
let end = 0;
let holding: Promise<void> | undefined;
const holders: Server[] = [];

/**
 * That many different ports of the loopback interface that are free now; a program that does not
 * look for ports here may still be quicker. No port is given twice before all the others were tried.
 */
export async function findFreePorts(network: Network, count: number): Promise<number[]> {
  // All listeners stay open until the end, so that no port is found twice.
  const listeners: Listener[] = [];
  while (listeners.length < count) {
    const listener = await tryListen(network, await nextPort());
    if (listener !== undefined) listeners.push(listener);
  }
  const ports = listeners.map((listener) => listener.address.port);
  await Promise.all(listeners.map((listener) => listener.close()));
  return ports;
}

async function nextPort(): Promise<number> {
  while (next === end) {
    holding ??= holdArea().finally(() => {
      holding = undefined;
    });
    await holding;
  }
  const port = next;
  next += 1;
  return port;
}

async function holdArea(): Promise<void> {
  for (let tried = 0; tried < AREAS; tried++) {
    const first = FIRST_PORT + area * AREA_PORTS;
    area = (area + 1) % AREAS;
    const holder = await tryHold(first);
    if (holder === undefined) continue;
    holders.push(holder);
    next = first + 1;
    end = first + AREA_PORTS;
    return;
  }
  // All were tried, those that this program has gone through among them: it may go through them again.
  if (holders.length === 0) {
    throw new Error(
      `every ${AREA_PORTS}th port from ${FIRST_PORT} to ${FIRST_PORT + PORTS} is taken`,
    );
  }
  for (const holder of holders.splice(0)) holder.close();
}

/** A listener that does not keep the program running; undefined when the port is taken. */
function tryHold(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const holder = createServer((socket) => socket.destroy());
    holder.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    holder.listen({ host: '127.0.0.1', port }, () => resolve(holder.unref()));
  });
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
