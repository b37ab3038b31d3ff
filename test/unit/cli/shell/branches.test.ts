/** Branches as they were read: drawn, summed up, compared, and written as documents. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeSessionId } from '../../../../src/base/ids.ts';
import {
  type Branch,
  type BranchNode,
  depthBelow,
  inOrder,
  isInside,
  pathBelow,
  pathUnder,
} from '../../../../src/cli/shell/branch.ts';
import {
  type DocumentFormat,
  documentOf,
  documentText,
  parseDocument,
  plansOfDocument,
} from '../../../../src/cli/shell/branch-document.ts';
import { optionsOf, planOf } from '../../../../src/cli/shell/branch-write.ts';
import { CommandError } from '../../../../src/cli/shell/command-error.ts';
import { compareBranches } from '../../../../src/cli/shell/commands/comparing.ts';
import { globPattern, treeLines, usageOf } from '../../../../src/cli/shell/commands/looking.ts';
import { type Acl, OPEN_ACL } from '../../../../src/client/index.ts';
import { SOME_STAT } from '../../../support/client-replies.ts';

const ACL: readonly Acl[] = [{ scheme: 'ip', id: '10.0.0.1', perms: 3 }];

function node(path: string, more: Partial<BranchNode> = {}, isOwned = false): BranchNode {
  const data = more.data ?? null;
  const children = more.children ?? [];
  return {
    path,
    stat: {
      ...SOME_STAT,
      dataLength: data?.length ?? 0,
      numChildren: children.length,
      ephemeralOwner: makeSessionId(isOwned ? 7n : 0n),
    },
    acl: OPEN_ACL,
    ...more,
    data,
    children,
  };
}

function branchOf(root: string, nodes: readonly BranchNode[]): Branch {
  return { root, nodes: new Map(nodes.map((each) => [each.path, each])), failures: new Map() };
}

const BRANCH = branchOf('/app', [
  node('/app', { children: ['db', 'gone', 'live'], data: Buffer.from('line one\nline two\n') }),
  node('/app/db', { children: ['deep'], acl: ACL }),
  node('/app/live', {}, true),
  node('/app/db/deep', { data: Buffer.from([0xff, 0x00]) }),
]);

describe('paths of a branch', () => {
  test('go below a root and under another', () => {
    assert.equal(pathBelow('/app', '/app/db'), '/db');
    assert.equal(pathBelow('/app', '/app'), '/');
    assert.equal(pathBelow('/', '/app'), '/app');
    assert.equal(pathUnder('/x', '/db'), '/x/db');
    assert.equal(pathUnder('/', '/db'), '/db');
    assert.equal(pathUnder('/x', '/'), '/x');
    assert.equal(depthBelow('/', '/app/db'), 2);
    assert.equal(depthBelow('/app', '/app'), 0);
  });

  test('isInside tells a child from a neighbour whose name begins so', () => {
    assert.ok(isInside('/app', '/app/db') && isInside('/app', '/app') && isInside('/', '/app'));
    assert.ok(!isInside('/app', '/apple'));
  });
});

describe('inOrder', () => {
  test('gives parents before children, siblings in order, and passes over what vanished', () => {
    const paths = Array.from(inOrder(BRANCH), ({ path }) => path);
    assert.deepEqual(paths, ['/app', '/app/db', '/app/db/deep', '/app/live']);
  });
});

describe('treeLines', () => {
  test('draws a branch', () => {
    assert.deepEqual([...treeLines(BRANCH, false)], ['/app', '├── db', '│   └── deep', '└── live']);
  });

  test('adds sizes and ephemerals', () => {
    const lines = [...treeLines(BRANCH, true)];
    assert.equal(lines[0], '/app (18 B, 3 children)');
    assert.equal(lines[3], '└── live (0 B, ephemeral)');
  });
});

describe('usageOf', () => {
  test('sums up what is below', () => {
    assert.deepEqual(usageOf(BRANCH), [
      { path: '/app', bytes: 20, nodes: 4 },
      { path: '/app/db', bytes: 2, nodes: 2 },
      { path: '/app/db/deep', bytes: 2, nodes: 1 },
      { path: '/app/live', bytes: 0, nodes: 1 },
    ]);
  });
});

describe('globPattern', () => {
  test('means the whole name, and nothing special but * and ?', () => {
    assert.ok(globPattern('job-*').test('job-0001'));
    assert.ok(globPattern('a?c').test('abc'));
    assert.ok(!globPattern('a.c').test('abc'));
    assert.ok(!globPattern('job').test('job-1'));
  });
});

describe('compareBranches', () => {
  const plans = (nodes: readonly BranchNode[], withAcl = true) =>
    new Map(nodes.map((each) => [each.path, planOf(each, each.path, withAcl)]));

  test('tells what is missing, other data and other ACLs', () => {
    const first = plans([node('/'), node('/a', { data: Buffer.from('x') }), node('/b')]);
    const second = plans([node('/', { acl: ACL }), node('/a', { data: Buffer.from('y') })]);
    assert.deepEqual(compareBranches(first, second, true), [
      { path: '/', what: 'acl', first: 'world:anyone:cdrwa', second: 'ip:10.0.0.1:rw' },
      { path: '/a', what: 'data', first: '"x"', second: '"y"' },
      { path: '/b', what: 'only in first' },
    ]);
    assert.equal(compareBranches(first, second, false).length, 2);
    assert.deepEqual(compareBranches(first, first, true), []);
  });

  test('keeps no data and the text null apart', () => {
    const first = plans([node('/')]);
    const second = plans([node('/', { data: Buffer.from('null') })]);
    assert.equal(compareBranches(first, second, true).length, 1);
  });
});

describe('planOf', () => {
  test('refuses an ACL that the server hides', () => {
    const hidden = node('/a', { acl: [{ scheme: 'digest', id: 'bob:x', perms: 31 }] });
    assert.throws(() => planOf(hidden, '/b', true), CommandError);
    assert.deepEqual(planOf(hidden, '/b', false).acl, OPEN_ACL);
  });
});

describe('a branch as a document', () => {
  for (const format of ['json', 'yaml'] satisfies DocumentFormat[]) {
    test(`comes back from ${format} as it was`, () => {
      const text = documentText(documentOf(BRANCH), format);
      const plans = plansOfDocument(parseDocument(text), '/copy', true);
      assert.deepEqual(
        plans.map(({ path, kind }) => [path, kind.type]),
        [
          ['/copy', 'persistent'],
          ['/copy/db', 'persistent'],
          ['/copy/db/deep', 'persistent'],
          ['/copy/live', 'ephemeral'],
        ],
      );
      assert.equal(plans[0]?.data?.toString(), 'line one\nline two\n');
      assert.deepEqual(plans[1]?.acl, ACL);
      assert.equal(plans[1]?.data, null);
      assert.deepEqual(plans[2]?.data, Buffer.from([0xff, 0x00]));
    });
  }

  test('is a block of lines in YAML where data have several', () => {
    assert.match(
      documentText(documentOf(BRANCH), 'yaml'),
      /data: \|\n {6}line one\n {6}line two\n/,
    );
  });

  test('may ask for containers and times to live', () => {
    const text =
      'format: vivarium-branch\nversion: 1\npath: /a\nnodes:\n  - path: /\n    kind: container\n' +
      '  - path: /t\n    ttlMs: 5000\n';
    const plans = plansOfDocument(parseDocument(text), '/a', true);
    assert.deepEqual(plans.map(optionsOf), [
      { mode: 'container', acl: OPEN_ACL },
      { mode: 'persistent', ttlMs: 5000, acl: OPEN_ACL },
    ]);
  });

  const head = 'format: vivarium-branch\nversion: 1\npath: /a\nnodes:\n';
  const refused: readonly (readonly [string, RegExp])[] = [
    ['{"nodes": []}', /is no exported branch/],
    ['{', /cannot be read/],
    ['format: vivarium-branch\nversion: 9\n', /version 9 is not known/],
    ['format: vivarium-branch\nversion: 1\npath: a\nnodes: []\n', /has a path and a list/],
    [`${head}  - path: b\n`, /node 1: Path must start with/],
    [`${head}  - path: /b\n    data: 5\n`, /data of \/b are no text/],
    [`${head}  - path: /b\n    acl: open\n`, /acl of \/b is no list/],
    [`${head}  - path: /b\n    ttlMs: -1\n`, /ttlMs of \/b/],
    [`${head}  - path: /b\n    kind: odd\n`, /kind of \/b/],
    [`a: &x [1]\nb: *x\n`, /cannot be read/],
  ];
  for (const [text, message] of refused) {
    test(`is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseDocument(text), { name: 'CommandError', message });
    });
  }
});
