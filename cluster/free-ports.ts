import type { Network } from '../src/runtime/runtime.ts';

/** That many different ports of the loopback interface that are free now; another program may still be quicker. */
export async function findFreePorts(network: Network, count: number): Promise<number[]> {
  // All listeners are open at once, so that no port is found twice.
  const listeners = await Promise.all(
    Array.from({ length: count }, () =>
      network.listen({ host: '127.0.0.1', port: 0 }, (stream) => {
        stream.attach({ onData: () => undefined, onClose: () => undefined });
        stream.destroy();
      }),
    ),
  );
  const ports = listeners.map((listener) => listener.address.port);
  await Promise.all(listeners.map((listener) => listener.close()));
  return ports;
}
