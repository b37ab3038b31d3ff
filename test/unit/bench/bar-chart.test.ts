import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BarChart, renderBarChart } from '../../../src/bench/bar-chart.ts';

const CHART: BarChart = {
  title: 'a & b',
  series: ['speed'],
  rows: [
    { label: '<first>', bars: [{ value: 2, aim: 4 }] },
    { label: 'second', bars: [{ value: 0.5 }] },
    { label: 'third', bars: [{ value: undefined }] },
  ],
  origin: 1,
  format: (value) => `${value}x`,
};

/** Left edge and width of every bar. */
function bars(svg: string): [number, number][] {
  const found = svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="9"/g);
  return [...found].map(([, x, width]) => [Number(x), Number(width)]);
}

describe('renderBarChart()', () => {
  test('draws what is twice and what is half the origin as long, to either side', () => {
    const [more, less] = bars(renderBarChart(CHART));
    assert.ok(more !== undefined && less !== undefined);
    assert.ok(Math.abs(more[1] - less[1]) < 0.2);
    assert.ok(Math.abs(less[0] + less[1] - more[0]) < 0.2);
  });

  test('draws no bar for what is not known, and a tick for an aim', () => {
    const svg = renderBarChart(CHART);
    assert.equal(bars(svg).length, 2);
    assert.equal(svg.match(/stroke-width="2"/g)?.length, 1);
  });

  test('marks 1, 2 and 5 from below the least value to above the greatest', () => {
    const marks = [...renderBarChart(CHART).matchAll(/fill="#555555">([^<]+)</g)];
    assert.deepEqual(
      marks.map(([, text]) => text),
      ['0.5x', '1x', '2x', '5x'],
    );
  });

  test('escapes what would be markup', () => {
    const svg = renderBarChart(CHART);
    assert.ok(svg.includes('a &amp; b') && svg.includes('&lt;first&gt;'));
  });

  test('begins at the left edge without an origin', () => {
    const rows = [{ label: 'one', bars: [{ value: 30 }] }];
    const [bar] = bars(renderBarChart({ ...CHART, origin: undefined, rows }));
    assert.equal(bar?.[0], 210);
  });
});
