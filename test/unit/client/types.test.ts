/** What the compiler refuses: each line below a directive would otherwise be accepted in silence. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreatedNode, NodeOptions } from '../../../src/client/index.ts';
import { ClientStage } from '../../support/scripted-server.ts';

test('The types of the client refuse what servers would', async () => {
  // @ts-expect-error only persistent nodes have a time to live
  const lasting: NodeOptions = { mode: 'ephemeral', ttlMs: 1000 };
  // @ts-expect-error there is no such kind of node
  const unknown: NodeOptions = { mode: 'sequential' };
  const client = (await ClientStage.start()).client();
  // @ts-expect-error there is no such event
  client.on('connect', () => undefined);
  const commit = async (): Promise<void> => {
    const results = await client.multi().check('/a').set('/b', 'x').commit();
    // @ts-expect-error the second result is that of a set
    assert.equal(results[1].path, undefined);
    // @ts-expect-error there are two results
    assert.equal(results[2], undefined);
  };
  const create = async (): Promise<[CreatedNode, string]> => [
    await client.create('/a', '', { stat: true }),
    await client.create('/a'),
  ];
  assert.deepEqual([lasting.mode, unknown.mode], ['ephemeral', 'sequential']);
  assert.equal(typeof commit, typeof create);
  await client.close();
});
