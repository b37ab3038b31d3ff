import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import type { KeyValue } from '../../../src/runtime/runtime.ts';
import { writeSomething } from '../../support/sim-clients.ts';
import { SimEnsemble } from '../../support/sim-ensemble.ts';

const LINES = SimEnsemble.lines(3);
const HEAL_MAX_MS = 8000;

function isLogGroup(key: Uint8Array): boolean {
  return key[0] === 0x4c;
}

async function until(ensemble: SimEnsemble, condition: () => boolean, what: string): Promise<void> {
  assert(await ensemble.world.runUntil(condition, HEAL_MAX_MS), `waited in vain: ${what}`);
}

/** Three servers that hold something, all down. */
async function stoppedAll(): Promise<SimEnsemble> {
  const ensemble = new SimEnsemble();
  await ensemble.startAll(3);
  for (let i = 0; i < 3; i++) await writeSomething(ensemble, 'zk1');
  await evenly(ensemble);
  for (const host of ['zk1', 'zk2', 'zk3']) ensemble.crash(host);
  return ensemble;
}

async function evenly(ensemble: SimEnsemble): Promise<void> {
  const servers = [...ensemble.servers.values()];
  const isEven = (): boolean =>
    new Set(servers.map(({ view }) => view.lastZxid)).size === 1 &&
    servers.every(({ view }) => view.mode !== undefined);
  await until(ensemble, isEven, 'all servers have applied the same');
}

async function healed(ensemble: SimEnsemble, host: string): Promise<void> {
  const isHealed = (): boolean => {
    const view = ensemble.servers.get(host)?.view;
    return view?.mode !== undefined && view.standing === 'whole';
  };
  await until(ensemble, isHealed, `${host} serves and counts again`);
}

describe('a server with a damaged log', () => {
  it('names the place, sets the data aside and gets it back from the others', async () => {
    const ensemble = await stoppedAll();
    const { world } = ensemble;
    assert(world.disk('zk1').corrupt('/data/log', isLogGroup) > 0);
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    const [damage] = ensemble.logged('zk1', 'dataDamaged');
    assert.match(String(damage?.fields['reason']), /server 1, data in \/data.*log store.*0x1/);
    const [aside] = ensemble.logged('zk1', 'dataSetAside');
    assert.equal(aside?.fields['directories'], '/data/log.damaged-1, /data/state.damaged-1');
    assert(world.disk('zk1').entries('/data/log.damaged-1').length > 0, 'the old log is gone');
    await healed(ensemble, 'zk1');
    await evenly(ensemble);
  });

  it('counts no vote of its own before it has everything back', async () => {
    const ensemble = await stoppedAll();
    ensemble.world.disk('zk1').corrupt('/data/log', isLogGroup);
    await ensemble.start('zk1', 1, LINES);
    await ensemble.start('zk2', 2, LINES);
    await ensemble.world.runFor(5000);
    for (const server of ensemble.servers.values()) assert.equal(server.view.mode, undefined);
  });
});

describe('a server with a damaged state', () => {
  it('gets it back from the others', async () => {
    const ensemble = await stoppedAll();
    await ensemble.start('zk1', 1, LINES);
    await ensemble.start('zk2', 2, LINES);
    await ensemble.settled(2);
    await ensemble.stop('zk1');
    assert(ensemble.world.disk('zk1').corrupt('/data/state', () => true) > 0);
    await ensemble.start('zk3', 3, LINES);
    await ensemble.start('zk1', 1, LINES);
    assert.equal(ensemble.logged('zk1', 'dataSetAside').length, 1);
    await healed(ensemble, 'zk1');
    await evenly(ensemble);
  });

  it('gets it back when the store as such cannot be opened', async () => {
    const ensemble = await stoppedAll();
    ensemble.world.disk('zk2').damage('/data/state');
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    await healed(ensemble, 'zk2');
  });

  it('gets it back when the store opens without what was in it', async () => {
    const ensemble = await stoppedAll();
    const disk = ensemble.world.disk('zk2');
    // So LevelDB opens when a bit of its write-ahead log has turned: without that part, silently.
    for (const [key] of disk.entries('/data/state')) disk.edit('/data/state', key, undefined);
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    assert.equal(ensemble.logged('zk2', 'dataSetAside').length, 1);
    await healed(ensemble, 'zk2');
    await evenly(ensemble);
  });
});

describe('a server whose log opens without what was in it', () => {
  /** So LevelDB opens when its write-ahead log is lost before anything else was written: silently. */
  function empty(ensemble: SimEnsemble, host: string): void {
    const disk = ensemble.world.disk(host);
    for (const [key] of disk.entries('/data/log')) disk.edit('/data/log', key, undefined);
  }

  it('gets everything back from the others, although it looks like a server that is new', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    await writeSomething(ensemble, 'zk1');
    await ensemble.world.runFor(3000);
    ensemble.crash('zk1');
    empty(ensemble, 'zk1');
    await ensemble.start('zk1', 1, LINES);
    const [damage] = ensemble.logged('zk1', 'dataDamaged');
    assert.match(String(damage?.fields['reason']), /the log is empty, and \/data\/witness says/);
    await healed(ensemble, 'zk1');
    await evenly(ensemble);
  });

  it('is not begun anew when it stands alone, unless an operator says so', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, []);
    await ensemble.settled(1);
    await writeSomething(ensemble, 'zk1');
    await ensemble.world.runFor(3000);
    ensemble.crash('zk1');
    empty(ensemble, 'zk1');
    await assert.rejects(ensemble.start('zk1', 1, []), (error: Error) => {
      assert.match(error.message, /reached 0x1.*delete \/data\/witness to begin with nothing/s);
      assert.equal((error as Error & { exitCode?: number }).exitCode, 3);
      return true;
    });
    ensemble.world.disk('zk1').files.delete('/data/witness');
    await ensemble.start('zk1', 1, []);
    await ensemble.settled(1);
  });
});

describe('an ensemble of which a majority is damaged', () => {
  it('does not serve, and says what to do', async () => {
    const ensemble = await stoppedAll();
    for (const host of ['zk1', 'zk2']) {
      ensemble.world.disk(host).corrupt('/data/log', isLogGroup);
    }
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    await ensemble.world.runFor(5000);
    for (const host of ['zk1', 'zk2', 'zk3']) {
      assert.equal(ensemble.servers.get(host)?.view.mode, undefined);
      const [said] = ensemble.logged(host, 'noIntactMajority');
      assert.match(String(said?.fields['reason']), /server\.1, server\.2$/);
      assert.match(String(said?.fields['remedy']), /initialize/);
    }
  });

  it('serves what an intact server has when an operator says so', async () => {
    const ensemble = await stoppedAll();
    for (const host of ['zk1', 'zk2']) {
      ensemble.world.disk(host).corrupt('/data/log', isLogGroup);
    }
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    const before = ensemble.servers.get('zk3')?.view.lastZxid ?? 0;
    for (const host of ['zk1', 'zk2']) {
      await ensemble.stop(host);
      const { storage } = ensemble.world.runtimeFor(host);
      await ensemble.world.finish(storage.writeText('/data/initialize', ''));
      await ensemble.start(host, Number(host.at(-1)), LINES);
    }
    await ensemble.settled(3);
    await evenly(ensemble);
    assert((ensemble.servers.get('zk1')?.view.lastZxid ?? 0) >= before);
    assert.equal(ensemble.world.disk('zk1').files.has('/data/initialize'), false);
  });
});

describe('an ensemble of which a majority was damaged, and healed', () => {
  /** Each server but zk1 lost its data and got it back; the connections are those of then. */
  async function healedOneByOne(): Promise<SimEnsemble> {
    const ensemble = await stoppedAll();
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    await ensemble.settled(3);
    for (const id of [2, 3]) {
      ensemble.crash(`zk${id}`);
      ensemble.world.disk(`zk${id}`).corrupt('/data/log', isLogGroup);
      await ensemble.start(`zk${id}`, id, LINES);
      await healed(ensemble, `zk${id}`);
    }
    return ensemble;
  }

  it('accuses nobody of it when these servers are gone', async () => {
    const ensemble = await healedOneByOne();
    ensemble.crash('zk2');
    ensemble.crash('zk3');
    await ensemble.world.runFor(8000);
    assert.equal(ensemble.servers.get('zk1')?.view.mode, undefined);
    assert.deepEqual(ensemble.logged('zk1', 'noIntactMajority'), []);
  });
});

describe('a server with an empty disk', () => {
  it('says for whom a new ensemble waits', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, LINES);
    await ensemble.start('zk2', 2, LINES);
    await ensemble.world.runFor(5000);
    const [said] = ensemble.logged('zk1', 'noIntactMajority');
    assert.match(String(said?.fields['reason']), /not seen yet: server\.3$/);
  });

  it('begins without the others when an operator says that they hold nothing', async () => {
    const ensemble = new SimEnsemble();
    for (const id of [1, 2]) {
      const { storage } = ensemble.world.runtimeFor(`zk${id}`);
      await ensemble.world.finish(storage.writeText('/data/initialize', ''));
      await ensemble.start(`zk${id}`, id, LINES);
    }
    await ensemble.settled(2);
  });

  it('is not taken into a majority that lacks an acknowledged write', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    ensemble.crash('zk2');
    await ensemble.settled(2);
    await writeSomething(ensemble, 'zk1');
    ensemble.crash('zk1');
    ensemble.crash('zk3');
    ensemble.world.disk('zk1').wipe('/data/log');
    ensemble.world.disk('zk1').wipe('/data/state');
    await ensemble.start('zk1', 1, LINES);
    await ensemble.start('zk2', 2, LINES);
    await ensemble.world.runFor(5000);
    for (const server of ensemble.servers.values()) assert.equal(server.view.mode, undefined);
    await ensemble.start('zk3', 3, LINES);
    await healed(ensemble, 'zk1');
    await evenly(ensemble);
  });
});

describe('a server that was set aside half when it was killed', () => {
  it('goes on with it', async () => {
    const ensemble = await stoppedAll();
    const { storage } = ensemble.world.runtimeFor('zk1');
    await ensemble.world.finish(storage.move('/data/log', '/data/log.damaged-1'));
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    assert(ensemble.world.disk('zk1').stores.has('/data/state.damaged-1'));
    await healed(ensemble, 'zk1');
  });
});

describe('a server whose disk fails again and again', () => {
  it('stops after the eighth time, with what to do, rather than fill the disk with copies', async () => {
    const ensemble = await stoppedAll();
    for (const id of [2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    const disk = ensemble.world.disk('zk1');
    for (let time = 1; time <= 8; time++) {
      assert(disk.corrupt('/data/log', isLogGroup) > 0);
      await ensemble.start('zk1', 1, LINES);
      await healed(ensemble, 'zk1');
      await writeSomething(ensemble, 'zk2');
      await evenly(ensemble);
      ensemble.crash('zk1');
    }
    disk.corrupt('/data/log', isLogGroup);
    const refused = /damaged, and was set aside 8 times before; .*delete the directories/;
    await assert.rejects(ensemble.start('zk1', 1, LINES), refused);
    for (const store of ['log', 'state']) disk.wipe(`/data/${store}.damaged-3`);
    await ensemble.start('zk1', 1, LINES);
    await healed(ensemble, 'zk1');
    assert(disk.stores.has('/data/log.damaged-9'));
  });
});

describe('a store that lost its newest writes without a trace', () => {
  /** Puts back what the stores held, and leaves the file beside them as it is. */
  function turnBack(ensemble: SimEnsemble, host: string, old: readonly KeyValue[]): void {
    const disk = ensemble.world.disk(host);
    disk.wipe('/data/log');
    for (const [key, value] of old) disk.edit('/data/log', key, value);
  }

  it('is found out by the witness, and heals, although nobody else remembers', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    await writeSomething(ensemble, 'zk1');
    const old = ensemble.world.disk('zk1').entries('/data/log');
    for (let i = 0; i < 3; i++) await writeSomething(ensemble, 'zk1');
    await evenly(ensemble);
    await ensemble.world.runFor(3000);
    for (const host of ['zk1', 'zk2', 'zk3']) ensemble.crash(host);
    turnBack(ensemble, 'zk1', old);
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, LINES);
    const [said] = ensemble.logged('zk1', 'dataMissing');
    assert.match(
      String(said?.fields['reason']),
      /the log ends at 0x1.*\/data\/witness says that it had reached 0x1/,
    );
    await healed(ensemble, 'zk1');
    await evenly(ensemble);
  });

  it('is not gone on with by a standalone server', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, []);
    await ensemble.settled(1);
    const old = ensemble.world.disk('zk1').entries('/data/log');
    await writeSomething(ensemble, 'zk1');
    await ensemble.world.runFor(3000);
    ensemble.crash('zk1');
    turnBack(ensemble, 'zk1', old);
    await assert.rejects(ensemble.start('zk1', 1, []), (error: Error) => {
      assert.match(error.message, /acknowledged writes were lost.*delete \/data\/witness/s);
      assert.equal((error as Error & { exitCode?: number }).exitCode, 3);
      return true;
    });
  });
});
