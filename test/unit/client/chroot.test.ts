import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { Chroot } from '../../../src/client/chroot.ts';
import { dataBody, pathBody } from '../../support/client-replies.ts';
import { ClientStage } from '../../support/scripted-server.ts';

test('Chroot goes in front of the caller’s paths and off the server’s', () => {
  const chroot = new Chroot('/app');
  assert.equal(chroot.toServer('/'), '/app');
  assert.equal(chroot.toServer('/a/b'), '/app/a/b');
  assert.equal(chroot.toClient('/app'), '/');
  assert.equal(chroot.toClient('/app/a'), '/a');
  assert.equal(chroot.path, '/app');
});

test('Chroot leaves paths outside of it alone', () => {
  const chroot = new Chroot('/app');
  assert.equal(chroot.toClient('/application'), '/application');
  assert.equal(chroot.toClient('/zookeeper/config'), '/zookeeper/config');
});

test('Chroot / is none', () => {
  for (const none of ['', '/']) {
    const chroot = new Chroot(none);
    assert.equal(chroot.toServer('/a'), '/a');
    assert.equal(chroot.toClient('/a'), '/a');
    assert.equal(chroot.path, '/');
  }
});

test('Client under a chroot sends the server’s paths and tells the caller’s', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected({ hosts: 'zk1/app' });
  assert.equal(client.chroot, '/app');
  const events: string[] = [];
  const read = stage.outcome(client.get('/a', { watch: (event) => events.push(event.path) }));
  const created = stage.outcome(client.create('/b', 'x'));
  const config = stage.outcome(client.getConfig());
  const removed = stage.outcome(client.delete('/'));
  const requests = await stage.requests(connection, 4);
  assert.deepEqual(
    requests.map(({ type, body }) => [type, body.readString()]),
    [
      [OpCode.getData, '/app/a'],
      [OpCode.create, '/app/b'],
      [OpCode.getData, '/zookeeper/config'],
      [OpCode.delete, '/'],
    ],
  );
  connection.reply(requests[0], { body: dataBody('x') });
  connection.reply(requests[1], { body: pathBody('/app/b') });
  connection.reply(requests[2], { body: dataBody('server.1=') });
  connection.reply(requests[3], { error: -8 });
  connection.event(EventType.nodeDataChanged, '/app/a');
  await stage.until(() => removed.isSettled && events.length > 0, 'the replies');
  assert.equal(created.value, '/b');
  assert.equal(read.error, undefined);
  assert.equal(config.value?.data?.toString(), 'server.1=');
  assert.equal(removed.error?.path, '/');
  assert.deepEqual(events, ['/a']);
});
