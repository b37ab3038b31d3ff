import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findFreePorts } from '../../../cluster/free-ports.ts';
import { createNodeRuntime } from '../../../src/runtime/node/node-runtime.ts';

describe('findFreePorts', () => {
  test('gives no port twice, though nobody listens on the first ones yet', async () => {
    const { network } = createNodeRuntime();
    const ports: number[] = [];
    for (let turn = 0; turn < 10; turn++) ports.push(...(await findFreePorts(network, 3)));
    assert.equal(new Set(ports).size, 30);
  });

  test('keeps other programs out of the area in which it looks', async () => {
    const { network } = createNodeRuntime();
    const [port = 0] = await findFreePorts(network, 1);
    const listening = network.listen(
      { host: '127.0.0.1', port: port - (port % 100) },
      () => undefined,
    );
    await assert.rejects(listening, { code: 'ADDRESS_IN_USE' });
  });

  test('stays below the ports of outgoing connections', async () => {
    const ports = await findFreePorts(createNodeRuntime().network, 20);
    assert.ok(ports.every((port) => port >= 12_000 && port < 32_000));
  });
});
