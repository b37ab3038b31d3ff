/** The shell on servers that say what a test tells them to. */

import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ErrorCode } from '../../../../src/base/error-code.ts';
import { OpCode } from '../../../../src/base/op-code.ts';
import { EventType } from '../../../../src/base/watch-event.ts';
import { Output } from '../../../../src/cli/shell/output.ts';
import { Shell } from '../../../../src/cli/shell/shell.ts';
import { dataBody, statBody } from '../../../support/client-replies.ts';
import { ClientStage } from '../../../support/scripted-server.ts';

class Stage {
  readonly stage: ClientStage;
  readonly shell: Shell;
  readonly #printed: { out: string; err: string };

  private constructor(stage: ClientStage, hosts: string, isJson: boolean) {
    this.stage = stage;
    const printed = { out: '', err: '' };
    this.#printed = printed;
    const out = { write: (text: string): unknown => (printed.out += text) };
    const err = { write: (text: string): unknown => (printed.err += text) };
    this.shell = new Shell({
      hosts,
      sessionTimeoutMs: 6000,
      readOnly: false,
      out: new Output(out, err, isJson),
      runtime: stage.world.runtimeFor('client'),
    });
  }

  static async start(hosts = 'zk1', isJson = false): Promise<Stage> {
    const stage = new Stage(await ClientStage.start(['zk1']), hosts, isJson);
    if (hosts === 'zk1') {
      await stage.stage.until(() => stage.shell.client.isConnected, 'a session');
      await stage.stage.settle();
    }
    stage.printed();
    return stage;
  }

  /** What was printed since it was last asked. */
  printed(): { readonly out: string; readonly err: string } {
    const printed = { ...this.#printed };
    this.#printed.out = '';
    this.#printed.err = '';
    return printed;
  }

  /** What was printed, which stays to be asked for. */
  seen(): { readonly out: string; readonly err: string } {
    return this.#printed;
  }

  async execute(line: string): Promise<{ readonly out: string; readonly err: string }> {
    let isSettled = false;
    const executed = this.shell.execute(line).finally(() => {
      isSettled = true;
    });
    // Files are read by the machine, for which the world's time does not wait: it is given in small steps.
    while (!isSettled) await this.stage.world.runUntil(() => isSettled, 1);
    await executed;
    return this.printed();
  }
}

describe('Shell', () => {
  test('prints its prompt with servers, state and the number of the line', async () => {
    const stage = await Stage.start();
    assert.equal(stage.shell.prompt, '[zk: zk1(CONNECTED) 0] ');
    await stage.execute('printwatches');
    await stage.execute('  ');
    assert.equal(stage.shell.prompt, '[zk: zk1(CONNECTED) 1] ');
    await stage.execute('close');
    assert.equal(stage.shell.prompt, '[zk: zk1(CLOSED) 2] ');
  });

  test('executes commands that need a session only while there is one', async () => {
    const stage = await Stage.start();
    assert.match((await stage.execute('close')).out, /state:Closed type:None path:null/);
    assert.deepEqual(await stage.execute('ls /'), { out: 'Not connected\n', err: '' });
    assert.equal(stage.shell.exitCode, 1);
    await stage.execute('connect');
    await stage.stage.until(() => stage.shell.client.isConnected, 'a new session');
    assert.equal(stage.shell.prompt, '[zk: zk1(CONNECTED) 3] ');
  });

  test('fails a command when no server can be reached', async () => {
    const stage = await Stage.start('nowhere1,nowhere2');
    assert.equal(stage.shell.prompt, '[zk: nowhere1,nowhere2(CONNECTING) 0] ');
    const { err } = await stage.execute('ls /');
    assert.match(
      err,
      /^KeeperErrorCode = ConnectionLoss for \/\nno session with nowhere[12]:2181: \S.*\n$/,
    );
    assert.equal(stage.shell.exitCode, 1);
  });

  test('says when nobody can know whether a change was made', async () => {
    const stage = await Stage.start();
    stage.stage.responder = (connection) => connection.close();
    const { err } = await stage.execute('create /a');
    assert.match(err, /^KeeperErrorCode = ConnectionLoss for \/a\n.*may have been done\.\n$/);
  });

  test('follows a branch through the time in which there is no server', async () => {
    const stage = await Stage.start();
    stage.stage.responder = (connection, request) => connection.reply(request);
    const executed = stage.shell.execute('watch -n 2 /a');
    await stage.stage.until(() => /following/.test(stage.seen().err), 'the watch');
    const before = stage.stage.last();
    stage.stage.greeter = (connection) => connection.close();
    before.close();
    await stage.stage.until(() => stage.stage.connections.length > 5, 'failures in turn');
    assert.match(stage.shell.prompt, /CONNECTING/);
    stage.stage.greeter = (connection) => connection.greet();
    await stage.stage.reconnected(stage.shell.client, before);
    await stage.stage.settle();
    stage.stage.last().event(EventType.nodeCreated, '/a/b');
    await stage.stage.world.finish(executed);
    const { out, err } = stage.printed();
    assert.match(out, /rearmed +\/a \(connected again: changes in between were not told\)\n/);
    assert.match(out, / created +\/a\/b\n/);
    assert.equal(err, 'following /a (Ctrl-C ends it)\n');
    assert.equal(stage.shell.exitCode, 0);
  });

  test('gives a command up when it is interrupted', async () => {
    const stage = await Stage.start();
    assert.equal(stage.shell.interrupt(), false);
    const executed = stage.shell.execute('ls /');
    await stage.stage.requests(stage.stage.last(), 1);
    assert.equal(stage.shell.interrupt(), true);
    await stage.stage.world.finish(executed);
    assert.equal(stage.printed().err, 'Interrupted\n');
  });

  test('prints an event for several watches once, and nothing when printwatches is off', async () => {
    const stage = await Stage.start();
    stage.stage.responder = (connection, request) => {
      const isExists = request.type === OpCode.exists;
      connection.reply(request, { body: isExists ? statBody : dataBody('x') });
    };
    await stage.execute('get -w /a');
    await stage.execute('stat -w /a');
    await stage.execute('addWatch /');
    await stage.execute('addWatch /a');
    await stage.execute('addWatch /a');
    stage.stage.last().event(EventType.nodeDataChanged, '/a');
    await stage.stage.settle();
    assert.equal(
      stage.printed().out,
      '\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeDataChanged path:/a\n',
    );
    await stage.execute('printwatches off');
    await stage.execute('get -w /a');
    stage.stage.last().event(EventType.nodeDeleted, '/a');
    await stage.stage.settle();
    assert.equal(stage.printed().out, '');
  });

  test('keeps the exit code of the last command to its end', async () => {
    const stage = await Stage.start();
    stage.stage.responder = (connection, request) => {
      connection.reply(request, request.type === OpCode.exists ? { error: ErrorCode.noNode } : {});
    };
    await stage.execute('stat /none');
    assert.equal(stage.shell.exitCode, 1);
    await stage.execute('nonsense');
    assert.equal(stage.shell.exitCode, 127);
    await stage.execute('quit');
    assert.equal(stage.shell.exitCode, 127);
    assert.ok(stage.shell.isOver);
  });

  test('executes a line of the history again, with its exit code, but no redo', async () => {
    const stage = await Stage.start();
    await stage.execute('nonsense');
    assert.match(
      (await stage.execute('redo 0')).err,
      /Command not found: Command not found nonsense\n$/,
    );
    assert.equal(stage.shell.exitCode, 127);
    assert.equal((await stage.execute('redo 9')).err, 'Command index out of range\n');
    await stage.execute('redo 2');
    assert.equal((await stage.execute('redo 2')).err, 'No redoing redos\n');
    const { out } = await stage.execute('history');
    assert.match(out, /^0 - nonsense\n1 - nonsense\n2 - redo 9\n/);
  });

  test('answers, fails and tells events in JSON, a line each', async () => {
    const stage = await Stage.start('zk1', true);
    stage.stage.responder = (connection, request) => {
      if (request.type === OpCode.getData) connection.reply(request, { body: dataBody('x') });
      else connection.reply(request, { error: ErrorCode.noNode });
    };
    const got: unknown = JSON.parse((await stage.execute('get -w /a')).out);
    assert.equal((got as { data: string }).data, 'x');
    const failed: unknown = JSON.parse((await stage.execute('stat /b')).err);
    assert.deepEqual(failed, {
      error: {
        message: 'Node does not exist: /b',
        code: 'NO_NODE',
        path: '/b',
        outcomeUnknown: false,
      },
    });
    stage.stage.last().event(EventType.nodeDeleted, '/a');
    await stage.stage.settle();
    assert.deepEqual(JSON.parse(stage.printed().out), {
      event: { state: 'SyncConnected', type: 'NodeDeleted', path: '/a' },
    });
  });

  test('prints remarks as JSON too', async () => {
    const stage = await Stage.start('zk1', true);
    stage.stage.responder = (connection, request) => {
      connection.reply(request, { body: (writer) => writer.writeStrings(['b']) });
    };
    const { out, err } = await stage.execute('ls /a watch');
    assert.deepEqual(JSON.parse(out), ['b']);
    assert.match(JSON.parse(err).note, /^'ls path \[watch\]' has been deprecated/);
  });

  test('says how much was written when it does not get to the end', async () => {
    const stage = await Stage.start();
    const nodes = Array.from({ length: 600 }, (_, i) => ({ path: i === 0 ? '/' : `/${i}` }));
    const file = path.join(tmpdir(), `vivarium-import-${process.pid}.json`);
    await writeFile(
      file,
      JSON.stringify({ format: 'vivarium-branch', version: 1, path: '/a', nodes }),
    );
    let created = 0;
    stage.stage.responder = (connection, request) => {
      created += 1;
      if (created > 300) connection.close();
      else connection.reply(request, { body: (writer) => writer.writeString('/a') });
    };
    const { err } = await stage.execute(`import ${file}`);
    await rm(file);
    assert.match(
      err,
      /^256 of 600 nodes were written, and perhaps more\nKeeperErrorCode = ConnectionLoss/,
    );
    assert.equal(stage.shell.exitCode, 1);
  });

  test('tells of a lost connection once, and of the next one', async () => {
    const stage = await Stage.start();
    stage.stage.last().close();
    await stage.stage.until(() => !stage.shell.client.isConnected, 'the loss');
    await stage.stage.until(() => stage.shell.client.isConnected, 'the next one');
    await stage.stage.settle();
    const states = [...stage.printed().out.matchAll(/state:(\w+)/g)].map(([, state]) => state);
    assert.deepEqual(states, ['Disconnected', 'SyncConnected']);
  });

  test('says why the client itself refuses something', async () => {
    const stage = await Stage.start();
    const { err } = await stage.execute(`create /big ${'x'.repeat(1024 * 1024)}`);
    assert.match(err, /^Arguments are not valid : \/big\ncreate \/big: a request of \d+ bytes/);
    assert.match((await stage.execute('connect a:b:c')).err, /"a:b:c" is not host:port/);
    assert.equal(stage.shell.prompt, '[zk: zk1(CONNECTED) 2] ');
  });

  test('refuses words where a command needs more, with its usage', async () => {
    const stage = await Stage.start();
    assert.equal((await stage.execute('get')).err, 'get [-s] [-w] [-b] [-x] path\n');
    assert.equal(
      (await stage.execute('set -v x /a y')).err,
      '-v argument must be an int value, "x" is none\n',
    );
  });
});
