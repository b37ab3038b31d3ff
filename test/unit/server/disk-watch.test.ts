import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { DiskWatch } from '../../../src/server/disk-watch.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

const MIB = 1024 * 1024;
const RESERVE = 100 * MIB;

/** A watch over the disk of one simulated host, and what it did. */
class Stand {
  readonly world = new SimWorld(1);
  readonly events: string[] = [];
  readonly told: boolean[] = [];
  readonly watch: DiskWatch;
  heirs: number[] = [];
  handOvers = 0;

  constructor(reserveBytes = RESERVE) {
    const note =
      () =>
      (event: string): void => {
        this.events.push(event);
      };
    this.watch = new DiskWatch({
      directories: ['/data'],
      reserveBytes,
      runtime: this.world.runtimeFor('s1'),
      log: { debug: note(), info: note(), warn: note(), error: note() },
      tell: (hasRoom) => this.told.push(hasRoom),
      heirs: () => this.heirs,
      handOver: () => {
        this.handOvers++;
      },
    });
  }
}

describe('DiskWatch', () => {
  it('keeps a tenth of a disk on which the reserve would be too much', async () => {
    const stand = new Stand();
    const disk = stand.world.disk('s1');
    disk.capacityBytes = 100 * MIB;
    const fill = async (bytes: number): Promise<void> => {
      disk.occupiedBytes = bytes;
      await stand.world.runFor(2500);
    };
    await stand.world.finish(stand.watch.start());
    await fill(85 * MIB);
    assert.equal(stand.watch.isFull, false);
    await fill(91 * MIB);
    assert.equal(stand.watch.isFull, true);
    await fill(85 * MIB);
    assert.equal(stand.watch.isFull, true, 'back too soon');
    await fill(75 * MIB);
    assert.equal(stand.watch.isFull, false);
    assert.deepEqual(stand.events, ['diskLow', 'diskFull', 'diskLow']);
  });

  it('hands over to a follower that has room, and tells its leader when it has none', async () => {
    const stand = new Stand();
    const disk = stand.world.disk('s1');
    disk.occupiedBytes = disk.capacityBytes - RESERVE / 2;
    stand.heirs = [7, 8];
    for (const link of stand.heirs) stand.watch.heard(link, false);
    await stand.world.finish(stand.watch.start());
    assert.deepEqual(stand.told, [false]);
    assert.equal(stand.handOvers, 0);
    stand.watch.heard(8, true);
    await stand.world.runFor(1500);
    assert.equal(stand.handOvers, 1);
  });

  it('tells a new leader at once when it has no room', async () => {
    const stand = new Stand();
    const disk = stand.world.disk('s1');
    await stand.world.finish(stand.watch.start());
    stand.watch.introduce();
    assert.deepEqual(stand.told, [true]);
    disk.occupiedBytes = disk.capacityBytes - RESERVE / 2;
    await stand.world.runFor(1500);
    stand.watch.introduce();
    assert.deepEqual(stand.told, [true, false, false]);
  });

  it('hands over though the disk does not answer any more', async () => {
    const stand = new Stand();
    const disk = stand.world.disk('s1');
    disk.occupiedBytes = disk.capacityBytes - RESERVE / 2;
    await stand.world.finish(stand.watch.start());
    stand.world.stallDisk('s1', 60_000);
    await stand.world.runFor(2500);
    assert.equal(stand.handOvers, 0);
    stand.heirs = [7];
    await stand.world.runFor(1500);
    assert(stand.handOvers > 0);
  });

  it('looks at nothing when the reserve is 0', async () => {
    const stand = new Stand(0);
    stand.world.disk('s1').capacityBytes = 0;
    await stand.world.finish(stand.watch.start());
    assert.equal(stand.watch.isFull, false);
  });
});
