import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CompletionClient, complete } from '../../../../src/cli/shell/completion.ts';
import { COMMANDS } from '../../../../src/cli/shell/registry.ts';
import { KeeperError } from '../../../../src/client/keeper-error.ts';

const TREE: Readonly<Record<string, readonly string[]>> = {
  '/': ['zookeeper', 'app', 'apple'],
  '/app': ['two words', 'db'],
  '/app/db': ['deep'],
};

const CLIENT: CompletionClient = {
  children: async (path: string) => {
    const names = TREE[path];
    if (names === undefined) throw new KeeperError('NO_NODE', 'children', { path });
    return [...names];
  },
  exists: async (path: string) => ({ numChildren: TREE[path]?.length ?? 0 }),
};

async function hits(line: string): Promise<readonly string[]> {
  return (await complete(line, COMMANDS, CLIENT))[0];
}

describe('complete', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['rec', ['reconfig ']],
    ['set', ['set', 'setAcl', 'setquota']],
    ['get /', ['/app', '/apple', '/zookeeper']],
    ['get /z', ['/zookeeper ']],
    ['get /ap', ['/app', '/apple']],
    ['get /app/d', ['/app/db/']],
    ['get /app/t', ['"/app/two words" ']],
    ['get "/app/t', ['"/app/two words" ']],
    ['get /none/x', []],
    ['get nothing', []],
    ['ls -', ['-?', '-R', '-s', '-w']],
    ['addWatch -m P', ['PERSISTENT', 'PERSISTENT_RECURSIVE']],
    ['help wh', ['whoami ']],
    ['printwatches o', ['off', 'on']],
    ['/app', []],
  ];
  for (const [line, expected] of cases) {
    test(`offers behind ${JSON.stringify(line)}: ${expected.join(' ') || 'nothing'}`, async () => {
      assert.deepEqual(await hits(line), expected);
    });
  }

  test('says which text the hits replace', async () => {
    assert.equal((await complete('get "/app/t', COMMANDS, CLIENT))[1], '"/app/t');
  });
});
