/**
 * The programs that come with the C client, on our servers: what `cli_mt` prints for a command must
 * be what it prints on the original, but for times, ids and the order of children; `load_gen` goes
 * through the same cycles.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { configuredKinds, runProgram, type Target } from './support.ts';

const PROGRAMS = '/usr/lib/zookeeper/bin';
const SKIP = existsSync(`${PROGRAMS}/cli_mt`)
  ? false
  : "Debian's package zookeeper-bin is not installed";
const TIMEOUT_MS = 30_000;
/** What `load_gen` says at the begin of each cycle, and how many cycles are compared. */
const CYCLE_BEGUN = 'Creating children for path /load';
const WHOLE_CYCLES = 2;
const KINDS = configuredKinds(['zookeeper.extendedTypesEnabled=true'], {
  extendedTypesEnabled: 'true',
});

const COMMANDS = [
  'create /cli',
  'create +e /cli/mine',
  'create2 /cli/two',
  'create +s /cli/s-',
  'create +es /cli/turn-',
  'create +c /cli/box',
  'create +t=100000 /cli/ttl',
  'create2 +e /cli/own',
  'create /cli',
  'create /cli/none/x',
  'create relative',
  'set /cli hello',
  'set /none hello',
  'get /cli',
  'get /none',
  'ls /cli',
  'ls2 /cli',
  'ls /none',
  'exists /cli',
  'exists /cli/mine',
  'wexists /later',
  'create /later',
  'wexists /later',
  'set /later x',
  'sync /cli',
  'delete /cli',
  'delete /cli/two',
  'delete /none',
  'addauth digest bob:secret',
  'acreate /cli/async',
  'aset /cli/async again',
  'aget /cli/async',
  'als /cli',
  'als2 /cli',
  'aexists /cli/async',
  'async /cli',
  'adelete /cli/async',
  'reconfig -remove 3',
  'nonsense',
  'delete /later',
];

/** `cli_mt` at work: commands are given one at a time, each with what is printed until its end. */
class CliSession {
  readonly #child: ChildProcess;
  #printed = '';
  #onPrinted: (() => void) | undefined;
  #hasEnded = false;
  #markers = 0;

  constructor(server: string) {
    // One pipe for both and no buffering, so that lines stay in the order in which they were printed.
    const command = `exec stdbuf -oL ${PROGRAMS}/cli_mt -h ${server} 2>&1`;
    this.#child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
      this.#onPrinted?.();
    });
    this.#child.on('exit', () => {
      this.#hasEnded = true;
      this.#onPrinted?.();
    });
  }

  async waitFor(text: string): Promise<void> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), TIMEOUT_MS);
    try {
      while (!this.#printed.includes(text)) {
        assert.ok(!this.#hasEnded, `ended before ${text}: ${this.#printed}`);
        await new Promise<void>((resolve) => {
          this.#onPrinted = resolve;
        });
      }
    } finally {
      clearTimeout(late);
    }
  }

  /**
   * A write to a node that is not there shows by its refusal that all before it is answered. The
   * question whether it exists would not: its answer does not wait in line with the others.
   */
  async run(command: string): Promise<string> {
    const marker = `/marker-${++this.#markers}: rc = -101 Stat:\nnull\n`;
    this.#printed = '';
    this.#child.stdin?.write(`${command}\n`);
    this.#child.stdin?.write(`set /marker-${this.#markers} x\n`);
    await this.waitFor(marker);
    return this.#printed.slice(0, this.#printed.indexOf(marker));
  }

  async quit(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.on('exit', () => resolve()));
    this.#child.stdin?.end('quit\n');
    await ended;
  }
}

/** Transactions by their order; times and sessions by their kind; children sorted. */
function normalise(texts: readonly string[]): string[] {
  const zxids = texts.flatMap((text) =>
    [...text.matchAll(/[cm]zxid=([0-9a-f]+)/g)].map(([, hex]) => Number.parseInt(hex ?? '', 16)),
  );
  const ordered = [...new Set(zxids)].sort((a, b) => a - b);
  return texts.map((text) => {
    const lines = text
      .replace(/^.*:ZOO_[A-Z]+@.*\n/gm, '')
      .replace(/(zxid=)([0-9a-f]+)/g, (_, key: string, hex: string) => {
        return `${key}#${ordered.indexOf(Number.parseInt(hex, 16))}`;
      })
      .replace(/([cm]time ?= ?).*/g, '$1TIME')
      .replace(/^time = -?\d+ msec/gm, 'time')
      .replace(/(ephemeralOwner = )[1-9a-f][0-9a-f]*/g, '$1OWNER')
      .split('\n');
    const isChild = (line: string): boolean => /^\t[^=]+$/.test(line);
    return [...lines.filter((line) => !isChild(line)), ...lines.filter(isChild).sort()].join('\n');
  });
}

async function cliOutput(target: Target): Promise<string[]> {
  const session = new CliSession(target.servers[0] ?? '');
  await session.waitFor('Got a new session id');
  const texts: string[] = [];
  for (const command of COMMANDS) texts.push(await session.run(command));
  await session.quit();
  return normalise(texts);
}

/** What `load_gen` says of two whole cycles of creating, writing, reading and deleting. */
async function loadCycles(target: Target): Promise<string[]> {
  const load = spawn(`${PROGRAMS}/load_gen`, [target.servers.join(','), '/load', '40'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let said = '';
  const ended = new Promise<void>((resolve) => load.on('exit', () => resolve()));
  load.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    // It goes on until it is stopped; the third cycle has begun when the second is whole.
    if (said.split(CYCLE_BEGUN).length > WHOLE_CYCLES + 1) load.kill();
  });
  await ended;
  const steps = /@(?:main@\d+: ((?:Creating|Starting).*)|\w+@\d+: (Created .*))|:(ZOO_ERROR.*)/g;
  const found = [...said.matchAll(steps)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
  // It may have begun more of them before it was stopped.
  const begun = found.flatMap((step, at) => (step === CYCLE_BEGUN ? [at] : []));
  return found.slice(0, begun[WHOLE_CYCLES]);
}

describe('the programs of the C client', { skip: SKIP || KINDS[0]?.skip }, () => {
  const [original, ...ours] = KINDS;
  let expectedOutput: string[];
  let expectedCycles: string[];

  before(async () => {
    assert.ok(original !== undefined);
    const apache = await original.start();
    try {
      expectedOutput = await cliOutput(apache);
      expectedCycles = await loadCycles(apache);
    } finally {
      await apache.stop();
    }
    assert.match(expectedOutput[COMMANDS.indexOf('get /cli')] ?? '', /hello/);
    assert.match(expectedOutput[COMMANDS.indexOf('create /later')] ?? '', /CREATED_EVENT/);
    assert.equal(expectedCycles.filter((line) => line.startsWith('Starting')).length, 6);
    assert.deepEqual(
      expectedCycles.filter((line) => line.includes('ERROR')),
      [],
    );
  });

  for (const kind of ours) {
    describe(`on ${kind.name}`, () => {
      let target: Target;

      before(async () => {
        target = await kind.start();
      });

      after(() => target.stop());

      test('cli_mt prints for every command what it prints on the original', async () => {
        const output = await cliOutput(target);
        for (const [index, command] of COMMANDS.entries()) {
          assert.equal(output[index], expectedOutput[index], command);
        }
      });

      test('load_gen goes through its cycles, and cleans up behind itself', async () => {
        assert.deepEqual(await loadCycles(target), expectedCycles);
        const servers = target.servers.join(',');
        const clean = await runProgram([`${PROGRAMS}/load_gen`, servers, '/load', 'clean']);
        assert.match(clean.stderr, /Successfully deleted a subtree starting at \/load/);
        assert.equal(clean.exitCode, 0);
      });
    });
  }
});
