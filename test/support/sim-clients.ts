/** What a client of a simulated ensemble does for a test. */

import { strict as assert } from 'node:assert';
import type { SimEnsemble } from './sim-ensemble.ts';

/** A connect request without a session, by hand. */
const CONNECT =
  '0000002d000000000000000000000000000027100000000000000000000000100000000000000000000000000000000000';

/** A session's creation is a transaction, and the cheapest one. */
export async function writeSomething(ensemble: SimEnsemble, host: string): Promise<void> {
  const server = ensemble.servers.get(host);
  const before = server?.view.lastZxid ?? 0;
  const { network } = ensemble.world.runtimeFor('client');
  const stream = network.connect({ host, port: 2181 }, 1000);
  stream.attach({
    onOpen: () => {
      stream.write(Buffer.from(CONNECT, 'hex'));
    },
    onData: () => undefined,
    onClose: () => undefined,
  });
  const isWritten = (): boolean => (server?.view.lastZxid ?? 0) > before;
  assert(await ensemble.world.runUntil(isWritten, 5000), 'no session was created');
}
