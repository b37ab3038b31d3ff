/** `zkServer.sh` of the original and ours: the same calls in the same order, the same words and codes. */

import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ownScript, ZkServerKit } from '../support/zk-server.ts';
import { APACHE } from './support.ts';

const ORIGINAL = '/usr/share/zookeeper/bin/zkServer.sh';

const CALLS: readonly (readonly string[])[] = [
  ['status'],
  ['stop'],
  ['start'],
  ['start'],
  ['status'],
  ['restart'],
  ['status'],
  ['stop'],
  ['status'],
  ['begin'],
  [],
];

/** The original's script reads where things are from a file beside it. */
async function originalScript(directory: string): Promise<string> {
  const bin = path.join(directory, 'bin');
  await mkdir(bin);
  await copyFile(ORIGINAL, path.join(bin, 'zkServer.sh'));
  const environment = [
    `ZOOCFGDIR=${directory}/conf`,
    `ZOOCFG=${directory}/conf/zoo.cfg`,
    `ZOO_LOG_DIR=${directory}/logs`,
    'JAVA=/usr/bin/java',
    'CLASSPATH=/etc/zookeeper/conf:/usr/share/java/zookeeper.jar',
  ];
  await writeFile(path.join(bin, 'zkEnv.sh'), `${environment.join('\n')}\n`);
  return path.join(bin, 'zkServer.sh');
}

async function transcript(kit: ZkServerKit): Promise<string[]> {
  try {
    const lines: string[] = [];
    for (const call of CALLS) {
      lines.push(`${call.join(' ')}: ${await kit.words(call)}`);
      if (call[0] === 'start' || call[0] === 'restart') await kit.serving();
      if (call[0] === 'stop') await kit.stopped();
    }
    return lines;
  } finally {
    await kit.end();
  }
}

test('zkServer.sh says and returns what that of the original does', {
  skip: APACHE.skip,
}, async () => {
  const original = transcript(await ZkServerKit.create(originalScript));
  const own = transcript(await ZkServerKit.create(ownScript));
  assert.deepEqual(await own, await original);
});
