/**
 * The examples of docs/client.md, compiled and run against a server. What stands between a line
 * `// example: name` and `// end` is what the document shows.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Client,
  connect,
  isKeeperError,
  MultiError,
  sessionIdHex,
} from '../../src/client/index.ts';
import { type NodeServer, startNodeServer } from '../support/node-server.ts';

let server: NodeServer;
let hosts: string;
/** What examples print. */
const printed: unknown[] = [];
const console = { log: (...values: unknown[]) => printed.push(values.join(' ')) };

before(async () => {
  server = await startNodeServer({});
  hosts = `127.0.0.1:${server.port}`;
  const client = await connect({ hosts });
  await client.create('/config', '{}');
  await client.create('/jobs');
  await client.create('/app');
  await client.close();
});

after(() => server.stop());

test('docs/client.md shows the examples that this file runs', async () => {
  const own = await readFile(path.resolve('test/e2e/client-examples.test.ts'), 'utf8');
  const document = await readFile(path.resolve('docs/client.md'), 'utf8');
  const examples = [...own.matchAll(/^( *)\/\/ example: .*\n([\s\S]*?)^ *\/\/ end$/gm)].map(
    ([, indent = '', body = '']) =>
      body.replaceAll(`\n${indent}`, '\n').slice(indent.length).trim(),
  );
  const shown = [...document.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, body = '']) => body.trim());
  const code = shown.filter((block) => !block.startsWith('import ') && !block.startsWith('type '));
  assert.deepEqual(code.sort(), examples.sort());
  assert(examples.length >= 8);
});

test('first steps', async () => {
  // example: first steps
  const client = await connect({ hosts, sessionTimeoutMs: 10_000 });

  await client.create('/hello', 'world');
  const { data, stat } = await client.get('/hello');
  console.log(data?.toString(), stat.version);

  await client.set('/hello', 'again', { version: stat.version });
  await client.delete('/hello');
  await client.close();
  // end
  assert.equal(printed.at(-1), 'world 0');
});

test('kinds of nodes', async () => {
  const client = await connect({ hosts });
  // example: kinds of nodes
  await client.create('/app/alive', '', { mode: 'ephemeral' });
  const job = await client.create('/jobs/job-', 'payload', { mode: 'persistentSequential' });
  const made = await client.create('/app/settings', '{}', { stat: true });
  console.log(job, made.path, made.stat.czxid);
  // end
  assert.match(String(printed.at(-1)), /^\/jobs\/job-0000000000 \/app\/settings \d+$/);
  await client.close();
});

test('errors', async () => {
  const client = await connect({ hosts });
  // example: errors
  try {
    await client.create('/jobs/job-0000000000');
  } catch (error) {
    if (!isKeeperError(error, 'NODE_EXISTS')) throw error;
    console.log(error.message);
  }
  // end
  const message = 'create /jobs/job-0000000000: the node exists (NODE_EXISTS)';
  assert.equal(printed.at(-1), message);
  await client.close();
});

test('unknown outcomes', async () => {
  // example: unknown outcomes
  async function increment(client: Client, path: string): Promise<number> {
    for (;;) {
      const { data, stat } = await client.get(path);
      const next = Number(data?.toString() || 0) + 1;
      try {
        await client.set(path, String(next), { version: stat.version });
        return next;
      } catch (error) {
        if (isKeeperError(error, 'BAD_VERSION')) continue;
        if (!isKeeperError(error, 'CONNECTION_LOSS')) throw error;
        // Not unknown: it was certainly not done. Unknown: only the caller can tell what to do.
        if (error.outcomeUnknown) throw error;
      }
    }
  }
  // end
  const client = await connect({ hosts });
  await client.create('/app/count', '');
  assert.equal(await increment(client, '/app/count'), 1);
  assert.equal(await increment(client, '/app/count'), 2);
  await client.close();
});

test('transactions', async () => {
  const client = await connect({ hosts });
  // example: transactions
  try {
    const [, created, set] = await client
      .multi()
      .check('/app', { version: 0 })
      .create('/app/part-', 'x', { mode: 'ephemeralSequential' })
      .set('/config', '{"parts":1}')
      .commit();
    console.log(created.path, set.stat.version);
  } catch (error) {
    if (!(error instanceof MultiError)) throw error;
    console.log(`operation ${error.failedIndex} is to blame: ${error.code}`);
  }
  // end
  assert.match(String(printed.at(-1)), /^\/app\/part-\d{10} 1$/);
  await client.close();
});

test('watching with a loop', async () => {
  const client = await connect({ hosts });
  const other = await connect({ hosts });
  const controller = new AbortController();
  // example: watching with a loop
  async function follow(signal: AbortSignal): Promise<void> {
    for await (const event of client.watch('/config', { recursive: true, signal })) {
      if (event.type === 'rearmed') console.log('may have missed something: read again');
      else console.log(event.type, event.path);
    }
  }
  // end
  const following = follow(controller.signal);
  await client.sync();
  await other.create('/config/a');
  await client.sync();
  await client.get('/config');
  controller.abort();
  await assert.rejects(following, { name: 'AbortError' });
  assert.equal(printed.at(-1), 'created /config/a');
  await client.close();
  await other.close();
});

test('watching once', async () => {
  const client = await connect({ hosts });
  // example: watching once
  const changed = new Promise((resolve) => {
    client.get('/config', { watch: resolve }).catch(resolve);
  });
  await client.set('/config', '{"parts":2}');
  console.log(JSON.stringify(await changed));
  // end
  assert.match(String(printed.at(-1)), /^\{"type":"dataChanged","path":"\/config","zxid":\d+\}$/);
  await client.close();
});

test('connection events', async () => {
  const client = await connect({ hosts });
  // example: connection events
  client.on('disconnected', ({ reason }) => console.log('stop for now', reason.message));
  client.on('connected', ({ server, isNewSession }) => console.log(server.host, isNewSession));
  client.on('expired', () => console.log('locks and ephemeral nodes are gone'));
  // end
  await client.close();
  assert.equal(client.state, 'closed');
});

test('resuming a session', async () => {
  const client = await connect({ hosts });
  // example: resuming a session
  const { session } = client;
  await client.close({ closeSession: false });

  const successor = await connect({ hosts, session });
  console.log(sessionIdHex(successor.sessionId));
  // end
  assert.equal(successor.sessionId, session.id);
  await successor.close();
});

test('pipelining', async () => {
  const client = await connect({ hosts });
  // example: pipelining
  const paths = ['/app', '/config', '/jobs'];
  const stats = await Promise.all(paths.map((each) => client.exists(each)));
  console.log(stats.every((stat) => stat !== undefined));
  // end
  assert.equal(printed.at(-1), 'true');
  await client.close();
});

test('disposal', async () => {
  async function ask(): Promise<void> {
    // example: disposal
    await using client = await connect({ hosts });
    console.log(await client.children('/app'));
    // end
  }
  await ask();
});
