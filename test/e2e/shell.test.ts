/** The shell on a server of ours: what it does beyond the original, and how it is at a terminal. */

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { HistoryFile } from '../../src/cli/shell/history-file.ts';
import { runInteractive } from '../../src/cli/shell/interactive.ts';
import { Output } from '../../src/cli/shell/output.ts';
import { Shell } from '../../src/cli/shell/shell.ts';
import { connect } from '../../src/client/client.ts';
import { type NodeServer, startNodeServer } from '../support/node-server.ts';

let server: NodeServer;
let hosts: string;

before(async () => {
  server = await startNodeServer({});
  hosts = `127.0.0.1:${server.port}`;
});

after(() => server.stop());

interface Said {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
}

/** A shell that executes lines; `leave` ends it. */
function openShell(isJson = false): {
  readonly shell: Shell;
  readonly run: (...lines: readonly string[]) => Promise<Said>;
} {
  let out = '';
  let err = '';
  const output = new Output(
    { write: (text) => (out += text) },
    { write: (text) => (err += text) },
    isJson,
  );
  const options = { hosts, sessionTimeoutMs: 10_000, readOnly: false };
  const shell = new Shell({ ...options, out: output, isSessionQuiet: true });
  const run = async (...lines: readonly string[]): Promise<Said> => {
    for (const line of lines) await shell.execute(line);
    const said = { out, err, exitCode: shell.exitCode };
    out = '';
    err = '';
    return said;
  };
  return { shell, run };
}

describe('commands on branches', () => {
  let opened: ReturnType<typeof openShell>;
  let run: (typeof opened)['run'];

  before(async () => {
    opened = openShell();
    run = opened.run;
    await run('create /app cfg', 'create /app/db host=1', 'create /app/db/deep "two words"');
    await run('create /app/closed x ip:127.0.0.1:cdrwa', 'create -e /app/live me');
  });

  after(() => opened.shell.leave());

  test('tree draws, du sums up, find picks', async () => {
    const drawn = '/app\n├── closed\n├── db\n│   └── deep\n└── live\n';
    assert.equal((await run('tree /app')).out, drawn);
    assert.match((await run('du -d 0 /app')).out, /^21 bytes {2}5 nodes {2}\/app\n$/);
    assert.equal((await run('find -c words /app')).out, '/app/db/deep\n');
    assert.equal((await run('find -e /')).out, '/app/live\n');
    assert.equal((await run('find -n d* -d 1 /app')).out, '/app/db\n');
  });

  test('cp copies data and ACLs, but no ephemerals, and does not write over what is there', async () => {
    const { err, exitCode } = await run('cp /app /copy');
    assert.match(err, /^1 ephemeral node\(s\) left out/);
    assert.equal(exitCode, 0);
    assert.equal((await run('diff /app /copy')).out, '- /live\n');
    assert.match((await run('getAcl /copy/closed')).out, /^'ip,'127\.0\.0\.1\n: cdrwa\n$/);
    assert.match((await run('cp /app /copy')).err, /Node already exists: \/copy\n$/);
    assert.equal((await run('cp -f /app /copy')).exitCode, 0);
    assert.equal((await run('cp /app /app/db/inside')).err, '/app/db/inside lies in /app\n');
  });

  test('mv moves in one transaction, and not what belongs to a session', async () => {
    const before = openShell(true);
    const { czxid } = JSON.parse((await before.run('stat /copy')).out);
    await run('mv /copy /far/away');
    assert.equal((await run('get /far/away/db')).out, 'host=1\n');
    assert.equal((await run('stat /copy')).err, 'Node does not exist: /copy\n');
    const moved = JSON.parse((await before.run('stat /far/away')).out);
    const child = JSON.parse((await before.run('stat /far/away/db/deep')).out);
    assert.notEqual(moved.czxid, czxid);
    assert.equal(moved.czxid, child.czxid);
    assert.match((await run('mv /app /x')).err, /\/app\/live is ephemeral/);
    assert.match((await run('mv /far /app')).err, /Node already exists: \/app/);
    await before.shell.leave();
    await run('deleteall /far');
  });

  test('mv of more than fits one transaction asks for -f, and then takes two steps', async () => {
    const client = await connect({ hosts });
    await client.create('/many');
    const count = 2001;
    const names = Array.from({ length: count }, (_, index) => `/many/n${index}`);
    await Promise.all(names.map((name) => client.create(name, name)));
    assert.match((await run('mv /many /moved')).err, /^2002 nodes are too much for one/);
    assert.deepEqual(await run('mv -f /many /moved'), { out: '', err: '', exitCode: 0 });
    assert.equal(await client.exists('/many'), undefined);
    assert.equal(await client.getAllChildrenNumber('/moved'), count);
    await run('deleteall /moved');
    await client.close();
  });

  for (const format of ['json', 'yaml']) {
    test(`export and import carry a branch through ${format}`, async () => {
      const file = path.join(tmpdir(), `vivarium-branch-${process.pid}.${format}`);
      const exported = await run(`export /app ${file}`);
      assert.equal(exported.err, `Exported 5 nodes to ${file}\n`);
      assert.match(await readFile(file, 'utf8'), /two words/);
      const imported = await run(`import ${file} /back/again`);
      assert.match(imported.err, /^1 ephemeral.*\nImported 4 nodes to \/back\/again\n$/);
      await run('set /back/again/db changed', 'create /back/again/new');
      const { out, exitCode } = await run(`diff -f ${file} /back/again`);
      assert.equal(out, '! /db data: "changed" -> "host=1"\n+ /live\n- /new\n');
      assert.equal(exitCode, 1);
      assert.equal((await run(`import ${file} /back/again`)).exitCode, 1);
      assert.equal((await run(`import -f ${file} /back/again`, 'get /back/again/db')).exitCode, 0);
      await run('deleteall /back');
      await rm(file);
    });
  }

  test('diff compares with another service', async () => {
    const { out, exitCode } = await run(`diff -s ${hosts}/app /app /`);
    assert.equal(out, '');
    assert.equal(exitCode, 0);
  });

  test('deleteall and rmr remove branches, and say when they cannot', async () => {
    await run('create /gone', 'create /gone/a', 'create /gone/b');
    assert.deepEqual(await run('deleteall -b 2 /gone'), { out: '', err: '', exitCode: 0 });
    await run('create /gone', 'create /gone/a');
    const { err } = await run('rmr /gone');
    assert.equal(err, "The command 'rmr' has been deprecated. Please use 'deleteall' instead.\n");
    await run(
      'create /guarded x world:anyone:r',
      'create /kept',
      'create /kept/a x world:anyone:r',
    );
    await run('setAcl /kept world:anyone:cra');
    const failed = await run('deleteall /kept');
    assert.equal(failed.err, 'Failed to delete some node(s) in the subtree!\n');
    assert.equal(failed.exitCode, 1);
    await run('setAcl /kept world:anyone:cdrwa', 'deleteall /kept', 'delete /guarded');
  });

  test('setAcl -R changes a whole branch, and du and ls -R tell what they may not read', async () => {
    await run('create /hidden', 'create /hidden/in', 'create /hidden/in/side');
    await run('setAcl -R /hidden/in world:anyone:cdwa');
    const listed = await run('ls -R /hidden');
    assert.equal(listed.out, '/hidden\n/hidden/in\n');
    assert.equal(listed.err, 'Insufficient permission : /hidden/in\n');
    assert.match((await run('du /hidden')).err, /Insufficient permission : \/hidden\/in/);
    await run('setAcl /hidden/in world:anyone:cdrwa', 'deleteall /hidden');
  });

  test('watch tells so many events, with the data', async () => {
    const client = await connect({ hosts });
    const following = run('watch -d -n 2 /app');
    let isOver = false;
    const said = following.finally(() => {
      isOver = true;
    });
    // The first of them may come before the watch.
    for (let version = 0; !isOver; version++) await client.set('/app/db', `v${version}`);
    const { out, err } = await said;
    const lines = out.trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d dataChanged \/app\/db v\d+$/);
    assert.match(err, /^following \/app/);
    await client.close();
  });
});

/** A terminal whose keys a test presses, and whose text it reads. */
class FakeTerminal {
  readonly keys = new PassThrough();
  readonly screen: PassThrough & { isTTY?: boolean; columns?: number; rows?: number };
  readonly exited: Promise<number>;
  #text = '';

  constructor(history: HistoryFile) {
    this.screen = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
    this.screen.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString();
    });
    const streams = { stdin: this.keys, stdout: this.screen, stderr: this.screen };
    const options = { hosts, sessionTimeoutMs: 10_000, readOnly: false };
    this.exited = runInteractive(options, streams, false, history);
  }

  /** Waits for text, and forgets what was shown up to its end. */
  async shows(text: string): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!this.#text.includes(text)) {
      assert.ok(
        performance.now() < deadline,
        `no ${JSON.stringify(text)} in ${JSON.stringify(this.#text)}`,
      );
      await setImmediate();
    }
    this.#text = this.#text.slice(this.#text.indexOf(text) + text.length);
  }

  async types(keys: string, answer: string): Promise<void> {
    this.keys.write(keys);
    await this.shows(answer);
  }
}

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const UP = '\x1b[A';

describe('the shell at a terminal', () => {
  const file = path.join(tmpdir(), `vivarium-history-${process.pid}`);
  const open = async (): Promise<FakeTerminal> => {
    const terminal = new FakeTerminal(new HistoryFile(file));
    await terminal.shows(`(CONNECTED) 0] `);
    return terminal;
  };

  after(() => rm(file, { force: true }));

  test('completes commands and paths, and remembers lines for the next shell', async () => {
    const terminal = await open();
    await terminal.types('cre\t', 'ate ');
    await terminal.types('/terminal x\r', 'Created /terminal');
    await terminal.types('get /term\t', 'inal ');
    await terminal.types('\r', 'x');
    await terminal.types('addauth digest a:secret\r', ' 3] ');
    await terminal.types('quit\r', 'state:Closed');
    assert.equal(await terminal.exited, 0);
    assert.doesNotMatch(await readFile(file, 'utf8'), /secret/);
    const next = await open();
    await next.types(UP, 'quit');
    await next.types(UP, 'get /terminal');
    await next.types(CTRL_C, '0] ');
    next.keys.write(CTRL_D);
    assert.equal(await next.exited, 0);
  });

  test('shows an event above what is being typed', async () => {
    const terminal = await open();
    const client = await connect({ hosts });
    await client.create('/typed');
    await terminal.types('get -w /typed\r', '1] ');
    await terminal.types('set /ty', 'set /ty');
    await client.set('/typed', 'changed');
    await terminal.shows('type:NodeDataChanged path:/typed');
    await terminal.shows('(CONNECTED) 1] set /ty');
    await terminal.types('ped mine\r', '2] ');
    assert.equal((await client.get('/typed')).data?.toString(), 'mine');
    terminal.keys.write(CTRL_D);
    assert.equal(await terminal.exited, 0);
    await client.close();
  });

  test('ends what runs, and then itself, at Ctrl-C', async () => {
    const terminal = await open();
    await terminal.types('watch /\r', 'following /');
    await terminal.types(CTRL_C, '1] ');
    await terminal.types(CTRL_C, 'Ctrl-C once more');
    await terminal.shows('1] ');
    terminal.keys.write(CTRL_C);
    assert.equal(await terminal.exited, 130);
  });

  test('executes pasted lines in their order', async () => {
    const terminal = await open();
    terminal.keys.write('create /pasted 1\rset /pasted 2\rget /pasted\rdelete /pasted\rls /none\r');
    await terminal.shows('Created /pasted');
    await terminal.shows('\n2');
    await terminal.shows('Node does not exist: /none');
    terminal.keys.write(CTRL_D);
    assert.equal(await terminal.exited, 1);
  });
});
