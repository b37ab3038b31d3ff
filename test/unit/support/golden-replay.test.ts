/** The comparison on canned frames, and the player against a server that plays the recordings back. */

import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { GoldenComparison } from '../../support/golden-compare.ts';
import { replayGolden } from '../../support/golden-replay.ts';
import {
  type GoldenScenario,
  type GoldenStep,
  loadGoldenScenarios,
  selectScenarios,
} from '../../support/golden-scenarios.ts';
import { frame, fromHex, int, long, text, toHex, vector } from '../../support/hex.ts';

const SCENARIOS = loadGoldenScenarios();

function scenarioNamed(name: string): GoldenScenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  assert.ok(scenario !== undefined);
  return scenario;
}

function reply(xid: number, zxid: number, error: number): string {
  return frame(int(xid), long(zxid), int(error));
}

/** A step that expects one reply whose zxid is bound to a name. */
function stepOf(name: string, extra: Partial<GoldenStep> = {}): GoldenStep {
  return {
    conn: 'A',
    expect: [reply(1, 500, 0)],
    volatile: [[{ at: 8, len: 8, type: 'zxid', var: name }]],
    ...extra,
  };
}

test('GoldenComparison accepts other values in volatile ranges', () => {
  const comparison = new GoldenComparison('3.9');
  assert.equal(comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 7, 0))), undefined);
});

test('GoldenComparison reports other bytes elsewhere', () => {
  const comparison = new GoldenComparison('3.9');
  const difference = comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 7, -101)));
  assert.match(difference ?? '', /expected 0000001000000001\.{16}00000000 but got .*ffffff9b$/);
});

test('GoldenComparison reports a frame of another length', () => {
  const comparison = new GoldenComparison('3.9');
  const longer = frame(int(1), long(7), int(0), int(0));
  assert.notEqual(comparison.frame(stepOf('z1'), 0, fromHex(longer)), undefined);
  assert.notEqual(comparison.frame(stepOf('z1'), 0, fromHex(frame(int(1)))), undefined);
});

test('GoldenComparison wants one value for one name', () => {
  const comparison = new GoldenComparison('3.9');
  assert.equal(comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 7, 0))), undefined);
  assert.equal(comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 7, 0))), undefined);
  assert.match(comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 8, 0))) ?? '', /z1 was/);
});

test('GoldenComparison wants zxids to ascend with their numbers, gaps allowed', () => {
  const comparison = new GoldenComparison('3.9');
  assert.equal(comparison.frame(stepOf('z2'), 0, fromHex(reply(1, 7, 0))), undefined);
  assert.equal(comparison.frame(stepOf('z10'), 0, fromHex(reply(1, 70, 0))), undefined);
  assert.match(comparison.frame(stepOf('z3'), 0, fromHex(reply(1, 7, 0))) ?? '', /not in order/);
  assert.match(comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 8, 0))) ?? '', /not in order/);
  assert.match(comparison.frame(stepOf('z4'), 0, fromHex(reply(1, 71, 0))) ?? '', /not in order/);
});

test('GoldenComparison knows the zxid of a notification by release', () => {
  const event = (zxid: number): string =>
    frame(int(-1), long(zxid), int(0), int(3), int(3), text('/'));
  const step: GoldenStep = {
    conn: 'A',
    expect: [event(-1)],
    volatile: [[{ at: 8, len: 8, type: 'eventZxid' }]],
  };
  const check = (profile: '3.8' | '3.9', zxid: number): string | undefined =>
    new GoldenComparison(profile).frame(step, 0, fromHex(event(zxid)));
  assert.equal(check('3.8', -1), undefined);
  assert.equal(check('3.9', 17), undefined);
  assert.match(check('3.8', 17) ?? '', /notification/);
  assert.match(check('3.9', -1) ?? '', /notification/);
});

test('GoldenComparison checks that a password belongs to its session', () => {
  const [step] = scenarioNamed('connect-new').steps;
  assert.ok(step !== undefined);
  const recorded = fromHex(step.expect[0] ?? '');
  assert.equal(new GoldenComparison('3.9').frame(step, 0, recorded), undefined);
  const forged = recorded.slice();
  forged[30] = (forged[30] ?? 0) ^ 1;
  assert.match(new GoldenComparison('3.9').frame(step, 0, forged) ?? '', /password/);
});

test('GoldenComparison takes an unordered vector in any order, but with the same elements', () => {
  const header = int(1) + long(7) + int(0);
  const ids = [text('digest') + text('bob'), text('ip') + text('127.0.0.1')] as const;
  const step: GoldenStep = {
    conn: 'A',
    expect: [frame(header, vector(ids))],
    volatile: [[]],
    unordered: true,
  };
  const check = (elements: readonly string[]): string | undefined =>
    new GoldenComparison('3.9').frame(step, 0, fromHex(frame(header, vector(elements))));
  assert.equal(check([ids[1], ids[0]]), undefined);
  assert.notEqual(check([ids[0], ids[0]]), undefined);
  // The same strings, paired otherwise.
  const mixed = [text('digest') + text('127.0.0.1'), text('ip') + text('bob')];
  assert.notEqual(check(mixed), undefined);
});

test('GoldenComparison fills bound variables into what it sends', () => {
  const comparison = new GoldenComparison('3.9');
  const later: GoldenStep = {
    conn: 'A',
    send: frame(long(0), int(5)),
    sendVars: [{ at: 4, len: 8, type: 'zxid', var: 'z1' }],
    expect: [],
    volatile: [],
  };
  assert.match(String(comparison.request(later)), /z1 is not bound/);
  comparison.frame(stepOf('z1'), 0, fromHex(reply(1, 77, 0)));
  const request = comparison.request(later);
  assert.equal(typeof request === 'string' ? request : toHex(request), frame(long(77), int(5)));
});

test('selectScenarios gives each profile what holds for it, and nothing that needs a switch', () => {
  const names = (profile: '3.8' | '3.9'): string[] =>
    selectScenarios(SCENARIOS, profile).map((scenario) => scenario.name);
  const old = names('3.8');
  const current = names('3.9');
  assert.equal(old.includes('connect-new') && current.includes('connect-new'), true);
  assert.equal(old.includes('multi-create2-v38') && !current.includes('multi-create2-v38'), true);
  assert.equal(current.includes('v39-multi-create2') && !old.includes('v39-multi-create2'), true);
  assert.equal(old.includes('v38-persistent-replaced'), true);
  for (const name of [...old, ...current]) assert.equal(name.startsWith('x-'), false, name);
});

test('selectScenarios adds what a switch makes true and drops what it makes false', () => {
  const selected = selectScenarios(SCENARIOS, '3.9', new Set(['extendedTypesEnabled']));
  const names = selected.map((scenario) => scenario.name);
  assert.equal(names.includes('x-ttl'), true);
  assert.equal(names.includes('x-quota'), false);
  assert.equal(names.includes('create-ttl-disabled'), false);
});

/** A server that answers each connection with what was recorded for it, changed as the test likes. */
async function withPlayback<T>(
  scenario: GoldenScenario,
  change: (hex: string, stepIndex: number) => string,
  use: (port: number) => Promise<T>,
): Promise<T> {
  const sockets = new Map<string, Socket>();
  const labels = [...new Set(scenario.steps.map((step) => step.conn))];
  let received = 0;
  let stepIndex = 0;
  const advance = (): void => {
    for (;;) {
      const step = scenario.steps[stepIndex];
      if (step === undefined) return;
      const socket = sockets.get(step.conn);
      const needed = (step.send?.length ?? 0) / 2;
      if (socket === undefined || received < needed) return;
      received -= needed;
      const answer = step.expect.map((hex) => change(hex, stepIndex)).join('');
      if (answer !== '') socket.write(fromHex(answer));
      if (step.closed === true) socket.end();
      stepIndex += 1;
    }
  };
  const server: Server = createServer((socket) => {
    sockets.set(labels[sockets.size] ?? '', socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.length;
      advance();
    });
    advance();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  try {
    return await use(address.port);
  } finally {
    for (const socket of sockets.values()) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function differencesOf(
  name: string,
  change: (hex: string, stepIndex: number) => string = (hex) => hex,
): Promise<readonly string[]> {
  const scenario = scenarioNamed(name);
  const options = { host: '127.0.0.1', profile: '3.8', quietMs: 20, timeoutMs: 2000 } as const;
  const reports = await withPlayback(scenario, change, (port) =>
    replayGolden([scenario], { ...options, port }),
  );
  assert.deepEqual(
    reports.map((report) => report.scenario),
    [name],
  );
  return reports[0]?.differences ?? [];
}

for (const name of ['connect-new', 'connect-resume', 'connect-pipelined', 'watch-data']) {
  test(`replayGolden finds no difference in the recording itself: ${name}`, async () => {
    assert.deepEqual(await differencesOf(name), []);
  });
}

for (const name of ['fourletter-ruok', 'frame-too-long', 'setwatches-catchup', 'auth-digest']) {
  test(`replayGolden finds no difference in the recording itself: ${name}`, async () => {
    assert.deepEqual(await differencesOf(name), []);
  });
}

test('replayGolden names the step that differs and goes on', async () => {
  const differences = await differencesOf('create-basic', (hex, index) =>
    index === 2 ? `${hex.slice(0, -2)}ee` : hex,
  );
  assert.equal(differences.length, 1);
  assert.match(differences[0] ?? '', /^step 2 /);
});

test('replayGolden reports a frame that does not come and gives the scenario up', async () => {
  const differences = await differencesOf('create-basic', (hex, index) => (index === 2 ? '' : hex));
  assert.equal(differences.length, 1);
  assert.match(differences[0] ?? '', /^step 2 .*did not come/);
});

test('replayGolden reports bytes nobody expected', async () => {
  const differences = await differencesOf('connect-new', (hex, index) =>
    index === 1 ? hex + reply(9, 9, 0) : hex,
  );
  assert.match(differences.join(), /more bytes came before the close/);
});

test('replayGolden plays only what the filter names', async () => {
  const reports = await replayGolden(SCENARIOS, {
    host: '127.0.0.1',
    port: 1,
    profile: '3.9',
    filter: () => false,
  });
  assert.deepEqual(reports, []);
});
