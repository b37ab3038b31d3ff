import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { SimEnsemble } from '../../support/sim-ensemble.ts';

const COMEBACK_MAX_MS = 8000;

function isServing(ensemble: SimEnsemble, host: string): boolean {
  return ensemble.servers.get(host)?.view.mode !== undefined;
}

/** Kills a host so that the others' connections to it stay open, as far as they can tell. */
function vanish(ensemble: SimEnsemble, host: string): void {
  ensemble.servers.delete(host);
  ensemble.world.crash(host, { silent: true });
}

describe('a server whose machine vanished without a word', () => {
  it('serves again soon after it is back', async () => {
    for (const host of ['zk1', 'zk3']) {
      const ensemble = new SimEnsemble();
      await ensemble.startAll(3);
      vanish(ensemble, host);
      await ensemble.world.runFor(100);
      await ensemble.start(host, Number(host.at(-1)), SimEnsemble.lines(3));
      const isBack = (): boolean => isServing(ensemble, host);
      assert(await ensemble.world.runUntil(isBack, COMEBACK_MAX_MS), `${host} is not back`);
    }
  });

  it('serves again soon after it is back with an empty disk', async () => {
    const ensemble = new SimEnsemble();
    const blank = ensemble.world.disk('zk1').image();
    await ensemble.startAll(3);
    vanish(ensemble, 'zk1');
    await ensemble.world.runFor(100);
    ensemble.world.disk('zk1').restore(blank);
    await ensemble.start('zk1', 1, SimEnsemble.lines(3));
    const isBack = (): boolean => isServing(ensemble, 'zk1');
    assert(await ensemble.world.runUntil(isBack, COMEBACK_MAX_MS), 'it is taken for a second zk1');
  });

  it('is not waited for by the others when they elect', async () => {
    const ensemble = new SimEnsemble();
    await ensemble.startAll(5);
    for (const host of ['zk5', 'zk4']) vanish(ensemble, host);
    const others = ['zk1', 'zk2', 'zk3'];
    const isElected = (): boolean => {
      return others.some((host) => ensemble.servers.get(host)?.view.mode === 'leader');
    };
    assert(await ensemble.world.runUntil(isElected, 3000), 'no leader among the other three');
  });
});
