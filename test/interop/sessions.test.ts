/**
 * Local sessions and read-only mode, asked of three servers of the original and of three of ours on
 * the wire: the same conversation must come out the same.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSessionId } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { sessionPassword } from '../../src/session/session-id.ts';
import { SocketClient } from '../compat/socket-client.ts';
import {
  bool,
  buffer,
  frame,
  fromHex,
  int,
  long,
  OPEN_ACL_HEX,
  text,
  toHex,
} from '../support/hex.ts';
import { startApacheEnsemble } from './apache-ensemble.ts';
import { compareWithOriginals } from './originals.ts';
import { fourLetterWord, waitUntil } from './processes.ts';
import { APACHE, type EnsembleTarget, startEnsemble } from './support.ts';

const PATIENCE_MS = 10_000;
const TIMEOUT_MS = 12_000;
const READ_ONLY_WITHIN_MS = 20_000;
const EPHEMERAL = 1;
const SETTINGS = {
  localSessionsEnabled: 'true',
  localSessionsUpgradingEnabled: 'true',
  'readonlymode.enabled': 'true',
};

interface Asked {
  readonly sessionId?: bigint;
  readonly password?: string;
  readonly lastZxidSeen?: number;
  /** undefined: the byte is left out. */
  readonly readOnly?: boolean | undefined;
}

/** A connection, with what it was told at its beginning. */
class Talk {
  readonly socket: SocketClient;
  /** The connect response, or `closed`. */
  readonly greeting: string;
  readonly sessionId: bigint;
  #xid = 0;

  private constructor(socket: SocketClient, greeting: Buffer | undefined) {
    this.socket = socket;
    this.sessionId = greeting?.readBigInt64BE(8) ?? 0n;
    this.greeting =
      greeting === undefined
        ? 'closed'
        : `${greeting.length} bytes, timeout ${greeting.readInt32BE(4)}, ` +
          `${this.sessionId === 0n ? 'no' : 'a'} session, ends ${greeting.toString('hex', 36)}`;
  }

  static async begin(server: string, asked: Asked = {}): Promise<Talk> {
    const { sessionId = 0n, lastZxidSeen = 0 } = asked;
    const own = toHex(sessionPassword(makeSessionId(sessionId)));
    const password = asked.password ?? (sessionId === 0n ? '00'.repeat(16) : own);
    const readOnly = 'readOnly' in asked ? asked.readOnly : true;
    const socket = await SocketClient.connect(server);
    socket.send(
      fromHex(
        frame(
          int(0),
          long(lastZxidSeen),
          int(TIMEOUT_MS),
          long(sessionId),
          buffer(password),
          readOnly === undefined ? '' : bool(readOnly),
        ),
      ),
    );
    const bytes = await socket.next(PATIENCE_MS);
    return new Talk(socket, bytes === undefined ? undefined : Buffer.from(bytes));
  }

  /** Sends requests together; what comes back, with zxids as their place in the epoch. */
  async ask(...requests: readonly (readonly [op: number, record: string])[]): Promise<string[]> {
    for (const [op, record] of requests) {
      this.#xid += 1;
      this.socket.send(fromHex(frame(int(this.#xid), int(op), record)));
    }
    const replies: string[] = [];
    for (const [op] of requests) {
      const bytes = await this.socket.next(PATIENCE_MS);
      if (bytes === undefined) return [...replies, 'closed'];
      const reply = Buffer.from(bytes);
      const counter = reply.readUInt32BE(8);
      replies.push(`${op}: zxid ${counter}, error ${reply.readInt32BE(12)}`);
    }
    return replies;
  }

  /** The same, each when the one before is answered. */
  async askEach(
    ...requests: readonly (readonly [op: number, record: string])[]
  ): Promise<string[]> {
    const replies: string[] = [];
    for (const request of requests) replies.push(...(await this.ask(request)));
    return replies;
  }

  async isClosed(): Promise<boolean> {
    return (await this.socket.next(PATIENCE_MS)) === undefined && this.socket.isClosed;
  }
}

function create(path: string, flags = 0): readonly [number, string] {
  return [OpCode.create, text(path) + buffer('') + OPEN_ACL_HEX + int(flags)];
}

function multi(...ops: readonly (readonly [number, string])[]): readonly [number, string] {
  const members = ops.map(([op, record]) => int(op) + bool(false) + int(-1) + record);
  return [OpCode.multi, members.join('') + int(-1) + bool(true) + int(-1)];
}

function get(path: string): readonly [number, string] {
  return [OpCode.getData, text(path) + bool(false)];
}

function portOf(server: string): number {
  return Number(server.split(':')[1]);
}

async function modeOf(server: string): Promise<string | undefined> {
  return /^Mode: (\S+)$/m.exec(await fourLetterWord(portOf(server), 'srvr'))?.[1];
}

/** What a client of a server in this mode sees of local sessions; `other` is another follower. */
async function aboutLocalSessions(mode: string, server: string, other: string): Promise<string[]> {
  const seen: string[] = [];
  const note = (what: string, ...facts: unknown[]): void => {
    seen.push(`${mode}: ${what}: ${facts.join('; ')}`);
  };
  const first = await Talk.begin(server);
  note('new session', first.greeting);
  const { sessionId } = first;
  const root = `/${mode}`;
  note('writes', await first.ask(create(root), multi(create(`${root}/m`)), get(root)));
  note('elsewhere', (await Talk.begin(other, { sessionId })).greeting);
  const second = await Talk.begin(server, { sessionId });
  note('resumed', second.greeting, await first.isClosed());
  const wrong = await Talk.begin(server, { sessionId, password: 'ab'.repeat(16) });
  note('wrong password', wrong.greeting, await second.isClosed());
  const third = await Talk.begin(server, { sessionId });
  note('closed', await third.ask([OpCode.closeSession, '']), await third.isClosed());
  note('after its close', (await Talk.begin(server, { sessionId })).greeting);

  const upgraded = await Talk.begin(server);
  note('ephemeral', await upgraded.ask(create(`${root}/e`, EPHEMERAL)));
  note('and another', await upgraded.ask(create(`${root}/f`, EPHEMERAL)));
  const moved = await Talk.begin(other, { sessionId: upgraded.sessionId });
  note('moved', moved.greeting, await moved.ask([OpCode.closeSession, '']));
  const several = await Talk.begin(server);
  note('in a multi', await several.ask(multi(create(`${root}/n`), create(`${root}/g`, EPHEMERAL))));
  const failing = await Talk.begin(server);
  note('one that fails', await failing.ask(create(root, EPHEMERAL), create('bad', EPHEMERAL)));
  const hasty = await Talk.begin(server);
  const all = [create(`${root}/p`), create(`${root}/q`, EPHEMERAL), get(`${root}/q`)];
  note('in one breath', await hasty.ask(...all, [OpCode.closeSession, '']));
  note('end', await several.ask([OpCode.closeSession, '']), await failing.ask(get(`${root}/q`)));
  await failing.ask([OpCode.closeSession, '']);
  return seen;
}

/** What clients see of a server without a quorum; `known` is a replicated session. */
async function aboutReadOnlyMode(server: string, known: bigint): Promise<string[]> {
  const seen: string[] = [];
  const note = (what: string, ...facts: unknown[]): void => {
    seen.push(`read-only: ${what}: ${facts.join('; ')}`);
  };
  note('isro', await fourLetterWord(portOf(server), 'isro'));
  const [, line] = (await fourLetterWord(portOf(server), 'srvr')).split('\n');
  note('srvr', line);
  note('does not agree', (await Talk.begin(server, { readOnly: false })).greeting);
  note('does not say', (await Talk.begin(server, { readOnly: undefined })).greeting);
  note('is ahead', (await Talk.begin(server, { lastZxidSeen: 2 ** 45 })).greeting);
  note('replicated session', (await Talk.begin(server, { sessionId: known })).greeting);
  const first = await Talk.begin(server);
  const { sessionId } = first;
  note('new session', first.greeting);
  const record = text('/') + int(-1);
  // One by one: there a refusal overtakes the answers to reads that were asked before it.
  note(
    'in turn',
    await first.askEach(
      get('/follower'),
      create('/x'),
      create('/x', EPHEMERAL),
      create('bad'),
      multi(create('/x')),
      [OpCode.sync, text('/')],
      [OpCode.delete, record],
      [OpCode.check, record],
      [OpCode.setData, ''],
      [OpCode.setAcl, ''],
      [OpCode.reconfig, ''],
      [OpCode.deleteContainer, ''],
      [OpCode.getChildren2, text('/follower') + bool(true)],
      [OpCode.ping, ''],
    ),
  );
  const second = await Talk.begin(server, { sessionId });
  note('resumed', second.greeting, await first.isClosed());
  note('wrong', (await Talk.begin(server, { sessionId, password: 'ab'.repeat(16) })).greeting);
  const third = await Talk.begin(server, { sessionId });
  note('closed', await third.ask([OpCode.closeSession, '']), await third.isClosed());
  note('after its close', (await Talk.begin(server, { sessionId })).greeting);
  return seen;
}

interface Seen {
  readonly alike: string[];
  /** To a session that the read-only server does not know. */
  readonly unknownSession: string;
}

async function observe(target: EnsembleTarget): Promise<Seen> {
  try {
    const modes = await Promise.all(target.servers.map(modeOf));
    const leader = target.servers[modes.indexOf('leader')] ?? '';
    const followers = target.servers.filter((_, at) => modes[at] === 'follower');
    const [follower = '', other = ''] = followers;
    const alike = await aboutLocalSessions('leader', leader, other);
    alike.push(...(await aboutLocalSessions('follower', follower, other)));
    const known = await Talk.begin(follower);
    await known.ask(create('/known', EPHEMERAL));
    // What a server wrote last, it only knows to be committed when it hears of the next.
    await known.ask(create('/last'));
    for (const [at, server] of target.servers.entries()) {
      if (server !== follower) await target.stopServer(at + 1);
    }
    const isReadOnly = async (): Promise<boolean> => (await modeOf(follower)) === 'read-only';
    await waitUntil(isReadOnly, READ_ONLY_WITHIN_MS);
    alike.push(...(await aboutReadOnlyMode(follower, known.sessionId)));
    const stranger = await Talk.begin(follower, { sessionId: 0x0200_0000_0000_1234n });
    return { alike, unknownSession: stranger.greeting };
  } finally {
    await target.stop();
  }
}

test('local sessions and read-only mode look alike on the original and here', async (t) => {
  if (APACHE.skip !== false) {
    t.skip(APACHE.skip);
    return;
  }
  const lines = Object.entries(SETTINGS).map(([key, value]) => `${key}=${value}`);
  lines.push('4lw.commands.whitelist=*');
  const askOriginal = async (): Promise<Seen> =>
    observe(await startApacheEnsemble(lines, ['readonlymode.enabled=true']));
  const ours = await observe(await startEnsemble({ ...SETTINGS, tickTime: '2000' }));
  await compareWithOriginals(t, askOriginal, (theirs) => {
    assert.deepEqual(ours.alike, theirs.alike);
    assert.equal(theirs.unknownSession, '37 bytes, timeout 0, no session, ends 01');
  });
  assert.equal(ours.unknownSession, 'closed');
});
