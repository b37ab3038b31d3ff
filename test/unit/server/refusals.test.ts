import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { writeSomething } from '../../support/sim-clients.ts';
import { SimEnsemble } from '../../support/sim-ensemble.ts';

/** The sentences with which a host refused, or was refused by, a peer. */
function refusals(ensemble: SimEnsemble, host: string): string[] {
  return ensemble.logged(host, 'peerRefused').map(({ fields }) => String(fields['reason']));
}

async function refusalOn(ensemble: SimEnsemble, host: string, pattern: RegExp): Promise<void> {
  const isRefused = (): boolean => refusals(ensemble, host).some((reason) => pattern.test(reason));
  const inTime = await ensemble.world.runUntil(isRefused, 5000);
  assert(inTime, `${host} did not say ${pattern}; it said ${refusals(ensemble, host).join(' | ')}`);
}

describe('a server among its peers', () => {
  it('serves with two others', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    const modes = [...ensemble.servers.values()].map((server) => server.view.mode).sort();
    assert.deepEqual(modes, ['follower', 'follower', 'leader']);
  });

  it('names a second server with the same myid, on both machines, and never serves with it', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    const lines = SimEnsemble.lines(3);
    const twin = await ensemble.start('twin', 1, [...lines.slice(1), 'server.1=twin:2888:3888']);
    await refusalOn(ensemble, 'zk2', /two servers have myid 1/);
    await refusalOn(ensemble, 'twin', /two servers have myid 1/);
    await ensemble.world.runFor(5000);
    assert.equal(twin.view.mode, undefined);
    const modes = ['zk1', 'zk2', 'zk3'].map((host) => ensemble.servers.get(host)?.view.mode);
    assert(modes.every((mode) => mode !== undefined));
  });

  it('names both lines when two addresses are swapped', async () => {
    const ensemble = new SimEnsemble();
    const swapped = SimEnsemble.lines(3, (id) => ({ 2: 'zk3', 3: 'zk2' })[id] ?? `zk${id}`);
    const lines = SimEnsemble.lines(3);
    await ensemble.start('zk2', 2, lines);
    await ensemble.start('zk3', 3, lines);
    await ensemble.start('zk1', 1, swapped);
    await refusalOn(ensemble, 'zk1', /server\.2.*server\.3|server\.3.*server\.2/);
    await refusalOn(ensemble, 'zk2', /looks for server 3 at the address of this server 2/);
  });

  it('refuses a server that counts other participants, and says both lists', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    await ensemble.stop('zk1');
    await ensemble.start('zk1', 1, SimEnsemble.lines(5));
    const pattern = /1, 2, 3, 4, 5.*1, 2, 3|1, 2, 3 as.*1, 2, 3, 4, 5/;
    await refusalOn(ensemble, 'zk1', pattern);
    await refusalOn(ensemble, 'zk2', pattern);
  });

  it('refuses a server of another cluster whose address it was given', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    const foreign = SimEnsemble.lines(3, (id) => `other${id}`);
    for (const id of [1, 2, 3]) await ensemble.start(`other${id}`, id, foreign);
    await ensemble.settled(6);
    await writeSomething(ensemble, 'zk1');
    await writeSomething(ensemble, 'other1');
    await ensemble.stop('zk1');
    const mixed = SimEnsemble.lines(3, (id) => (id === 3 ? 'other3' : `zk${id}`));
    await ensemble.start('zk1', 1, mixed);
    await refusalOn(
      ensemble,
      'zk1',
      /server 1 at .* of cluster .*, server 3 of cluster .* points into another cluster/,
    );
    await refusalOn(ensemble, 'other3', /server 1 at .* holds data of cluster/);
  });

  it('refuses a data directory of another cluster', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    const foreign = SimEnsemble.lines(3, (id) => `other${id}`);
    for (const id of [1, 2, 3]) await ensemble.start(`other${id}`, id, foreign);
    await ensemble.settled(6);
    await writeSomething(ensemble, 'zk1');
    await writeSomething(ensemble, 'other1');
    await ensemble.stop('zk3');
    await ensemble.stop('other3');
    ensemble.world.disk('zk3').restore(ensemble.world.disk('other3').image());
    await ensemble.start('zk3', 3, SimEnsemble.lines(3));
    await refusalOn(
      ensemble,
      'zk3',
      /data of cluster [0-9a-f]{8}, server \d of cluster [0-9a-f]{8}/,
    );
    await refusalOn(ensemble, 'zk1', /foreign data directory/);
  });
});

describe('a server with directories that were mixed up', () => {
  /** Two ensembles of which one server each, zk3 and other3, has stopped. */
  async function twoEnsembles(): Promise<SimEnsemble> {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    const foreign = SimEnsemble.lines(3, (id) => `other${id}`);
    for (const id of [1, 2, 3]) await ensemble.start(`other${id}`, id, foreign);
    await ensemble.settled(6);
    await writeSomething(ensemble, 'other1');
    await ensemble.stop('other3');
    for (let i = 0; i < 3; i++) await writeSomething(ensemble, 'zk1');
    await ensemble.stop('zk3');
    return ensemble;
  }

  for (const part of ['state', 'log']) {
    it(`does not start with the ${part} of another cluster, though its zxids would fit`, async () => {
      const ensemble = await twoEnsembles();
      const disk = ensemble.world.disk('zk3');
      disk.wipe(`/data/${part}`);
      for (const [key, value] of ensemble.world.disk('other3').entries(`/data/${part}`)) {
        disk.edit(`/data/${part}`, key, value);
      }
      await assert.rejects(ensemble.start('zk3', 3, SimEnsemble.lines(3)), (error: Error) => {
        assert.match(error.message, /server 3: the state in .* and the log in .* were never one/);
        assert.match(
          error.message,
          /put back the one that belongs to the other, or move both away/,
        );
        assert.equal((error as Error & { exitCode?: number }).exitCode, 3);
        return true;
      });
    });
  }

  it('takes a state that knows no log yet for its own from then on', async () => {
    const ensemble = await twoEnsembles();
    const disk = ensemble.world.disk('zk3');
    const binding = Buffer.from('O');
    disk.edit('/data/state', binding, undefined);
    await ensemble.start('zk3', 3, SimEnsemble.lines(3));
    const bound = disk.entries('/data/state').filter(([key]) => binding.equals(key));
    assert.equal(bound.length, 1);
  });
});

describe('a server among peers with another configuration', () => {
  async function mixed(line: string): Promise<SimEnsemble> {
    const ensemble = new SimEnsemble();
    const lines = SimEnsemble.lines(3);
    await ensemble.start('zk1', 1, lines);
    await ensemble.start('zk2', 2, lines);
    await ensemble.start('zk3', 3, [...lines, line]);
    return ensemble;
  }

  function differences(ensemble: SimEnsemble, host: string): string[] {
    return ensemble.logged(host, 'peerDiffers').map(({ fields }) => String(fields['reason']));
  }

  async function toldOn(ensemble: SimEnsemble, host: string, pattern: RegExp): Promise<void> {
    const isTold = (): boolean => differences(ensemble, host).some((text) => pattern.test(text));
    assert(await ensemble.world.runUntil(isTold, 5000), differences(ensemble, host).join(' | '));
  }

  it('is refused when it would apply transactions otherwise', async () => {
    const ensemble = await mixed('extendedTypesEnabled=false');
    await refusalOn(ensemble, 'zk1', /server 3 at .* has extendedTypesEnabled=false, server 1 has/);
    await refusalOn(ensemble, 'zk3', /extendedTypesEnabled=true/);
  });

  it('is told of when its limits differ, and serves', async () => {
    const ensemble = await mixed('maxSessionTimeout=90000');
    await toldOn(ensemble, 'zk1', /server 3 at .* has maxSessionTimeout=90000, server 1 has/);
    await toldOn(ensemble, 'zk3', /maxSessionTimeout=40000/);
    await ensemble.settled(3);
  });

  it('is told of when its clock is a day off, and serves', async () => {
    const ensemble = new SimEnsemble();
    ensemble.world.setClockSkew('zk2', 86_400_000);
    for (const id of [1, 2, 3]) await ensemble.start(`zk${id}`, id, SimEnsemble.lines(3));
    await toldOn(
      ensemble,
      'zk1',
      /the clock of server 2 at .* is 8640\d s ahead of that of server 1/,
    );
    await ensemble.settled(3);
  });
});

describe('a server on its own disk', () => {
  const ALONE: readonly string[] = [];

  it('starts again on what it left', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, ALONE);
    await ensemble.settled(1);
    await writeSomething(ensemble, 'zk1');
    const { digest } = ensemble.servers.get('zk1')?.view ?? {};
    ensemble.crash('zk1');
    const server = await ensemble.start('zk1', 1, ALONE);
    await ensemble.settled(1);
    assert.equal(server.view.digest, digest);
  });

  it('refuses the directory of another server and names both numbers', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(3);
    await ensemble.stop('zk1');
    ensemble.world.disk('zk1').restore(ensemble.world.disk('zk2').image());
    await assert.rejects(ensemble.start('zk1', 1, SimEnsemble.lines(3)), (error: Error) => {
      assert.match(error.message, /server 1.*server 2|server 2.*server 1/s);
      assert.equal((error as Error & { exitCode?: number }).exitCode, 3);
      return true;
    });
  });

  it('refuses a log without its state', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, ALONE);
    await ensemble.stop('zk1');
    ensemble.world.disk('zk1').wipe('/data/state');
    await assert.rejects(
      ensemble.start('zk1', 1, ALONE),
      /\/data\/log is there but \/data\/state is not/,
    );
  });

  it('refuses directories that are swapped, and says so', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, ['dataLogDir=/log']);
    await ensemble.stop('zk1');
    const { storage } = ensemble.world.runtimeFor('zk1');
    const swap = async (): Promise<void> => {
      await storage.move('/data/state', '/log/state');
      await storage.move('/log/log', '/data/log');
    };
    await ensemble.world.finish(swap());
    await assert.rejects(
      ensemble.start('zk1', 1, ['dataLogDir=/log']),
      /server 1: dataDir \/data holds a log and dataLogDir \/log a state: the two are swapped/,
    );
  });

  it('names the place of a log that the configuration no longer leads to', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, ALONE);
    await ensemble.stop('zk1');
    await assert.rejects(
      ensemble.start('zk1', 1, ['dataLogDir=/log']),
      /the log is in \/data\/log, and dataLogDir says \/log; move \/data\/log to \/log\/log/,
    );
  });

  it('refuses a state and a log of different times, and names both', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, ALONE);
    await ensemble.settled(1);
    await writeSomething(ensemble, 'zk1');
    await ensemble.stop('zk1');
    const disk = ensemble.world.disk('zk1');
    const old = disk.entries('/data/log');
    await ensemble.start('zk1', 1, ALONE);
    await ensemble.settled(1);
    await writeSomething(ensemble, 'zk1');
    await ensemble.stop('zk1');
    disk.wipe('/data/log');
    for (const [key, value] of old) disk.edit('/data/log', key, value);
    await assert.rejects(
      ensemble.start('zk1', 1, ALONE),
      /the state in \/data\/state is of 0x.*the log in \/data\/log reaches from .*do not belong together/,
    );
  });

  it('refuses a log with a damaged record and names it', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.start('zk1', 1, ALONE);
    await ensemble.settled(1);
    await writeSomething(ensemble, 'zk1');
    ensemble.crash('zk1');
    const damaged = ensemble.world.disk('zk1').corrupt('/data/log', (key) => key[0] === 0x4c);
    assert(damaged > 0, 'nothing was damaged');
    await assert.rejects(ensemble.start('zk1', 1, ALONE), (error: Error) => {
      assert.match(error.message, /server 1, data in \/data.*0x1[0-9a-f]{8}/s);
      assert.equal((error as Error & { exitCode?: number }).exitCode, 3);
      return true;
    });
  });

  it('refuses a directory of Apache ZooKeeper', async () => {
    const ensemble = new SimEnsemble();
    const { storage } = ensemble.world.runtimeFor('zk1');
    await ensemble.world.finish(storage.writeText('/data/version-2/acceptedEpoch', '1'));
    await assert.rejects(
      ensemble.start('zk1', 1, ALONE),
      /version-2 holds data of Apache ZooKeeper/,
    );
  });

  it('refuses a client port that is taken', async () => {
    const ensemble = new SimEnsemble();
    const { network } = ensemble.world.runtimeFor('zk1');
    const listening = network.listen({ port: 2181 }, (stream) => stream.destroy());
    await ensemble.world.finish(listening);
    await assert.rejects(ensemble.start('zk1', 1, ALONE), (error: Error) => {
      assert.match(error.message, /2181/);
      assert.equal((error as Error & { exitCode?: number }).exitCode, 4);
      return true;
    });
  });
});
