/** The sessions of docs/migration.md, run in their order on data of Apache ZooKeeper, print what is shown. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { runProgram } from '../interop/support.ts';
import { outputsOf, scriptOf, sessionsOf } from '../support/doc-sessions.ts';
import { goldenPath } from '../support/expected-tree.ts';
import { binDirectory } from '../support/zk-server.ts';

const document = await readFile(path.resolve('docs/migration.md'), 'utf8');
/** Stands for /var/lib. */
let directory: string;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vivarium-docs-'));
  await mkdir(path.join(directory, 'bin'));
  await symlink(path.join(binDirectory(), 'vivarium.js'), path.join(directory, 'bin', 'vivarium'));
});

after(() => rm(directory, { recursive: true, force: true }));

/** Makes the directories as a session finds them: Apache's data, damaged if that is what it shows, and ours. */
async function prepare(shown: string): Promise<void> {
  const apache = path.join(directory, 'zookeeper');
  await rm(apache, { recursive: true, force: true });
  if (!/^exported up to/m.test(shown)) {
    const golden = path.join(goldenPath('apache-datadir'), 'version-2');
    await cp(golden, path.join(apache, 'version-2'), { recursive: true });
  }
  const [, file, byte] = /(log\.\w+) at byte (\d+): the checksum/.exec(shown) ?? [];
  if (file === undefined) return;
  await damage(path.join(apache, 'version-2', file), Number(byte));
  // It is the first import that fails there; later sessions have what the one before them made.
  await rename(path.join(directory, 'vivarium'), path.join(directory, 'aside'));
}

async function restore(): Promise<void> {
  const aside = path.join(directory, 'aside');
  if (!existsSync(aside)) return;
  await rm(path.join(directory, 'vivarium'), { recursive: true, force: true });
  await rename(aside, path.join(directory, 'vivarium'));
}

/** Turns a bit of the checksum that begins the record there. */
async function damage(file: string, byte: number): Promise<void> {
  const handle = await open(file, 'r+');
  const bytes = Buffer.alloc(8);
  await handle.read(bytes, 0, bytes.length, byte);
  bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
  await handle.write(bytes, 0, bytes.length, byte);
  await handle.close();
}

/** How long it took differs, and the document breaks long lines. */
function level(text: string): string {
  return text
    .replaceAll(directory, '/var/lib')
    .replace(/: \d+\.\d s$/gm, ': N s')
    .replace(/\s+/g, ' ')
    .trim();
}

for (const [index, steps] of sessionsOf(document).entries()) {
  test(`docs/migration.md, session ${index + 1}: ${steps[0]?.command}`, async () => {
    assert.ok(steps.length > 0, 'a session without a command');
    await prepare(steps.map(({ shown }) => shown).join('\n'));
    const commands = steps.map(({ command }) => command.replaceAll('/var/lib', directory));
    const { stdout } = await runProgram(['sh', '-c', scriptOf(commands)], {
      environment: { PATH: `${directory}/bin:${process.env['PATH']}` },
    });
    await restore();
    const outputs = outputsOf(stdout);
    for (const [at, { command, shown }] of steps.entries()) {
      assert.equal(level(outputs[at] ?? ''), level(shown), command);
    }
  });
}
