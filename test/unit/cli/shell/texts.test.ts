/** What the shell reads and prints in the original's words. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeSessionId, type Zxid } from '../../../../src/base/ids.ts';
import { isValidPath } from '../../../../src/base/path.ts';
import { aclLines, isMasked, parseAcl } from '../../../../src/cli/shell/acl-text.ts';
import { clientAddresses } from '../../../../src/cli/shell/commands/membership.ts';
import {
  bytesText,
  dataJson,
  dataText,
  dateText,
  eventLine,
  hexDump,
  statJson,
  statLines,
} from '../../../../src/cli/shell/format.ts';
import { failureText, generalText } from '../../../../src/cli/shell/keeper-text.ts';
import { pathProblem } from '../../../../src/cli/shell/path-text.ts';
import { limitsText, parseTrack } from '../../../../src/cli/shell/quota-text.ts';
import { KeeperError, type KeeperErrorCode } from '../../../../src/client/keeper-error.ts';
import { SOME_STAT } from '../../../support/client-replies.ts';

describe('pathProblem', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['/', undefined],
    ['/a/b', undefined],
    ['/a/..b/.c', undefined],
    ['', 'Path length must be > 0'],
    ['a', 'Path must start with / character'],
    ['/a/', 'Path must not end with / character'],
    ['/a//b', 'Invalid path string "/a//b" caused by empty node name specified @3'],
    ['/a/../b', 'Invalid path string "/a/../b" caused by relative paths not allowed @4'],
    ['/a/.', 'Invalid path string "/a/." caused by relative paths not allowed @3'],
    ['/a\u0000', 'Invalid path string "/a\u0000" caused by null character not allowed @2'],
    ['/a\u0001', 'Invalid path string "/a\u0001" caused by invalid character @2'],
    ['/a\ufff5', 'Invalid path string "/a\ufff5" caused by invalid character @2'],
  ];
  for (const [path, problem] of cases) {
    test(`of ${JSON.stringify(path)} is ${problem ?? 'none'}`, () => {
      assert.equal(pathProblem(path), problem);
      assert.equal(isValidPath(path), problem === undefined);
    });
  }

  test('lets a prefix of sequential nodes end in a slash', () => {
    assert.equal(pathProblem('/a/', true), undefined);
  });
});

describe('parseAcl', () => {
  test('reads entries whose ids hold colons', () => {
    const { acl, complaints } = parseAcl('digest:bob:xx=:rw,world:anyone:cdrwa');
    assert.deepEqual(acl, [
      { scheme: 'digest', id: 'bob:xx=', perms: 3 },
      { scheme: 'world', id: 'anyone', perms: 31 },
    ]);
    assert.deepEqual(complaints, []);
  });

  test('says what it does not understand, and keeps the rest', () => {
    const { acl, complaints } = parseAcl('junk,world:anyone:rz');
    assert.deepEqual(acl, [{ scheme: 'world', id: 'anyone', perms: 1 }]);
    assert.deepEqual(complaints, [
      'junk does not have the form scheme:id:perm',
      'Unknown perm type: z',
    ]);
  });

  test('is undone by aclLines, two lines for an entry', () => {
    const lines = aclLines(parseAcl('ip:10.0.0.1:awrdc').acl);
    assert.deepEqual(lines, ["'ip,'10.0.0.1", ': cdrwa']);
  });

  test('isMasked knows a digest that the server hides', () => {
    assert.ok(isMasked({ scheme: 'digest', id: 'bob:x', perms: 1 }));
    assert.ok(!isMasked({ scheme: 'ip', id: 'bob:x', perms: 1 }));
  });
});

describe('statLines', () => {
  test('prints the eleven lines of the original', () => {
    const stat = { ...SOME_STAT, czxid: 0x2_0000_0079 as Zxid, ephemeralOwner: makeSessionId(-1n) };
    const lines = statLines(stat);
    assert.equal(lines.length, 11);
    assert.equal(lines[0], 'cZxid = 0x200000079');
    assert.equal(lines[5], 'cversion = 7');
    assert.equal(lines[8], 'ephemeralOwner = 0xffffffffffffffff');
    assert.match(lines[1] ?? '', /^ctime = Thu Jan 01 \d\d:\d\d:00 \S+ 1970$/);
  });

  test('statJson says times as dates and numbers of transactions in hex', () => {
    const json = statJson(SOME_STAT);
    assert.equal(json['ctime'], '1970-01-01T00:00:00.004Z');
    assert.equal(json['mzxid'], '0x2');
  });

  test('dateText has two digits for each part', () => {
    assert.match(dateText(1_795_225_368_000), /^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ 2026$/);
  });
});

describe('data of a node', () => {
  test('are text, and null where there are none', () => {
    assert.equal(dataText(Buffer.from('größe')), 'größe');
    assert.equal(dataText(null), 'null');
  });

  test('are base64 in JSON when they are no text', () => {
    assert.deepEqual(dataJson(Buffer.from('größe')), { data: 'größe' });
    assert.deepEqual(dataJson(Uint8Array.of(0xff, 0)), { dataBase64: '/wA=' });
    assert.deepEqual(dataJson(null), { data: null });
  });

  test('hexDump frames rows of 16 bytes', () => {
    const lines = hexDump(Buffer.from('hello\n0123456789abc'));
    assert.equal(lines.length, 6);
    assert.equal(
      lines[3],
      '|00000000| 68 65 6c 6c 6f 0a 30 31 32 33 34 35 36 37 38 39 |hello.0123456789|',
    );
    assert.equal(lines[4], `|00000010| 61 62 63${' '.repeat(40)}|abc             |`);
    assert.deepEqual(hexDump(new Uint8Array()), ['']);
  });
});

describe('eventLine', () => {
  test('says the transaction where the server did', () => {
    assert.equal(
      eventLine('SyncConnected', 'NodeCreated', '/a', 5 as Zxid),
      'WatchedEvent state:SyncConnected type:NodeCreated path:/a zxid: 5',
    );
    assert.equal(
      eventLine('Disconnected', 'None', null),
      'WatchedEvent state:Disconnected type:None path:null',
    );
  });
});

describe('failureText', () => {
  const cases: readonly (readonly [KeeperErrorCode, string])[] = [
    ['NO_NODE', 'Node does not exist: /a'],
    ['NODE_EXISTS', 'Node already exists: /a'],
    ['NOT_EMPTY', 'Node not empty: /a'],
    ['NO_AUTH', 'Insufficient permission : /a'],
    ['BAD_VERSION', 'version No is not valid : /a'],
    ['QUOTA_EXCEEDED', 'Quota has exceeded : /a'],
    ['CONNECTION_LOSS', 'KeeperErrorCode = ConnectionLoss for /a'],
    ['NO_WATCHER', 'KeeperErrorCode = No such watcher for /a'],
  ];
  for (const [code, text] of cases) {
    test(`of ${code} is as the original says it`, () => {
      assert.equal(failureText(new KeeperError(code, 'get', { path: '/a' })), text);
    });
  }

  test('leaves the path out where there is none', () => {
    assert.equal(failureText(new KeeperError('NO_AUTH', 'reconfig')), 'Insufficient permission : ');
    assert.equal(
      generalText(new KeeperError('SESSION_EXPIRED', 'x')),
      'KeeperErrorCode = Session expired',
    );
  });

  test('names a number that has no name', () => {
    const error = new KeeperError('UNKNOWN', 'get', { path: '/a', number: -999 });
    assert.equal(failureText(error), 'KeeperErrorCode = Unknown error -999 for /a');
  });
});

describe('quota texts', () => {
  const text = 'count=3,bytes=100=;byteHardLimit=-1;countHardLimit=5';

  test('come out as they went in', () => {
    assert.equal(limitsText(parseTrack(text)), text);
    assert.equal(parseTrack(text).get('countHardLimit'), 5);
  });

  test('of releases before hard limits are read too', () => {
    assert.equal(limitsText(parseTrack('count=3,bytes=-1')), 'count=3,bytes=-1');
  });
});

describe('clientAddresses', () => {
  test('gathers where clients connect, and the version', () => {
    const config =
      'server.1=10.0.0.1:2888:3888:participant;10.0.0.1:2181\n' +
      'server.2=10.0.0.2:2888:3888:participant;2181\nversion=20000006d';
    assert.equal(clientAddresses(config), '20000006d 10.0.0.1:2181,0.0.0.0:2181');
  });
});

describe('bytesText', () => {
  test('uses the unit that fits', () => {
    assert.equal(bytesText(1023), '1023 B');
    assert.equal(bytesText(1536), '1.5 KiB');
    assert.equal(bytesText(3 * 1024 * 1024), '3.0 MiB');
  });
});
