import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timer } from '../../../src/runtime/runtime.ts';
import {
  CoreDriver,
  type CoreDriverTimings,
  type DrivenCore,
} from '../../../src/server/core-driver.ts';

const TIMINGS: CoreDriverTimings = {
  isStandalone: false,
  tickTimeMs: 2000,
  peerHeartbeatMs: 250,
  peerTimeoutMs: 1000,
};

interface Bench {
  readonly driver: CoreDriver;
  /** What the core and the hooks were told, in its order. */
  readonly told: string[];
  /** Milliseconds until the next tick, as it was asked for last. */
  readonly delays: number[];
  readonly time: { nowMs: number };
}

function newBench(timings: Partial<CoreDriverTimings>): Bench {
  const told: string[] = [];
  const delays: number[] = [];
  const core: DrivenCore = {
    start: (nowMs) => told.push(`start ${nowMs}`),
    tick: (nowMs) => told.push(`tick ${nowMs}`),
    noteTime: (nowMs) => told.push(`time ${nowMs}`),
    takeEffects: () => [],
  };
  const timer = (delayMs: number): Timer => {
    delays.push(delayMs);
    return {};
  };
  const time = { nowMs: 0 };
  const clock = { monotonicMs: () => time.nowMs, wallMs: () => time.nowMs, busyMs: () => 0 };
  const ignore = (): void => undefined;
  const timers = { set: timer, every: timer, clear: ignore, defer: ignore };
  const driver = new CoreDriver(
    core,
    { clock, timers },
    { ...TIMINGS, ...timings },
    {
      carryOut: ignore,
      drained: ignore,
      timePassed: ignore,
      beat: ignore,
      isSettled: () => true,
      paused: (pauseMs) => told.push(`paused ${pauseMs}`),
      failed: (error) => told.push(String(error)),
    },
  );
  driver.start();
  told.length = 0;
  return { driver, told, delays, time };
}

test('CoreDriver tells the core the time before what comes between two ticks', () => {
  const bench = newBench({});
  bench.time.nowMs = 90;
  bench.driver.input(() => bench.told.push('input'));
  assert.deepEqual(bench.told, ['time 90', 'input']);
});

test('CoreDriver has the core look at its deadlines first when it stood still', () => {
  const bench = newBench({});
  bench.time.nowMs = 201;
  bench.driver.input(() => bench.told.push('input'));
  assert.deepEqual(bench.told, ['paused 201', 'tick 201', 'input']);
});

test('CoreDriver has the core look at its deadlines first after half of a short peerTimeoutMs', () => {
  const bench = newBench({ peerHeartbeatMs: 30, peerTimeoutMs: 90 });
  bench.time.nowMs = 46;
  bench.driver.input(() => bench.told.push('input'));
  assert.deepEqual(bench.told, ['tick 46', 'input']);
});

for (const [peerHeartbeatMs, tickMs] of [
  [10, 10],
  [30, 30],
  [60, 50],
  [150, 75],
  [250, 100],
] as const) {
  test(`CoreDriver ticks every ${tickMs} ms in quiet times with a heartbeat of ${peerHeartbeatMs} ms`, () => {
    const { delays } = newBench({ peerHeartbeatMs, peerTimeoutMs: 3 * peerHeartbeatMs });
    assert.deepEqual(delays, [tickMs]);
  });
}

for (const [tickTimeMs, tickMs] of [
  [100, 100],
  [1200, 150],
  [2000, 250],
  [6000, 250],
] as const) {
  test(`CoreDriver without peers ticks every ${tickMs} ms in quiet times with a tickTime of ${tickTimeMs} ms`, () => {
    const { delays } = newBench({ isStandalone: true, tickTimeMs });
    assert.deepEqual(delays, [tickMs]);
  });
}

test('CoreDriver without peers takes a tick that is 100 ms late for a pause', () => {
  const bench = newBench({ isStandalone: true });
  bench.time.nowMs = 350;
  bench.driver.input(() => bench.told.push('input'));
  bench.time.nowMs = 351;
  bench.driver.input(() => bench.told.push('input'));
  assert.deepEqual(bench.told, ['time 350', 'input', 'paused 351', 'tick 351', 'input']);
});
