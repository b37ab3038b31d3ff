/** A chart of horizontal bars on a logarithmic scale, as an SVG document of its own. */

import { invariant } from '../base/assert.ts';

export interface Bar {
  /** Above 0; undefined: no bar. */
  readonly value: number | undefined;
  /** Where a tick is drawn across the bar. */
  readonly aim?: number | undefined;
}

export interface BarChart {
  readonly title: string;
  /** What the bars of each row stand for, in order. */
  readonly series: readonly string[];
  readonly rows: readonly { readonly label: string; readonly bars: readonly Bar[] }[];
  /** Where bars begin: to the right of it is more, to the left is less. Undefined: at the left edge. */
  readonly origin?: number | undefined;
  /** Text of a value, and of a mark on the scale. */
  readonly format: (value: number) => string;
}

const COLORS = ['#2f6fb0', '#e0862b', '#5a9c54', '#a05195', '#7a7a7a'];
const WIDTH = 860;
const LABELS = 210;
/** Room for the value behind the longest bar. */
const VALUES = 70;
const PLOT = WIDTH - LABELS - VALUES;
const BAR = 11;
const ROW_GAP = 9;
const TOP = 58;
const BOTTOM = 26;

/** Labels may hold any text. */
export function renderBarChart(chart: BarChart): string {
  const scale = scaleOf(chart);
  const rowHeight = chart.series.length * BAR + ROW_GAP;
  const plotHeight = chart.rows.length * rowHeight;
  const height = TOP + plotHeight + BOTTOM;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      'font-family="sans-serif" font-size="11">',
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="18" font-size="14" font-weight="bold">${escaped(chart.title)}</text>`,
    ...legend(chart.series),
    ...grid(chart, scale, plotHeight),
    ...chart.rows.flatMap(({ label, bars }, at) => {
      const top = TOP + at * rowHeight + ROW_GAP / 2;
      const middle = top + (rowHeight - ROW_GAP) / 2 + 4;
      return [
        `<text x="${LABELS - 8}" y="${fixed(middle)}" text-anchor="end">${escaped(label)}</text>`,
        ...bars.flatMap((bar, series) => drawBar(chart, scale, bar, top, series)),
      ];
    }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

interface Scale {
  readonly least: number;
  readonly marks: readonly number[];
  /** Where a value lies. */
  x(value: number): number;
}

/** From the mark at or below the least value to the one at or above the greatest. */
function scaleOf({ rows, origin }: BarChart): Scale {
  const bars = rows.flatMap((row) => row.bars);
  const values = bars.flatMap(({ value, aim }) => [value ?? [], aim ?? []].flat());
  if (origin !== undefined) values.push(origin);
  invariant(
    values.every((value) => value > 0),
    'a bar of a logarithmic chart is not above 0',
  );
  const least = markBelow(Math.min(...values, 1e9));
  const marks = [least];
  let last = least;
  while (last < Math.max(...values, least * 2)) {
    last = nextMark(last);
    marks.push(last);
  }
  const span = Math.log(last / least);
  return { least, marks, x: (value) => LABELS + (Math.log(value / least) / span) * PLOT };
}

/** 1, 2 and 5 times the powers of ten. */
function markBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = [5, 2, 1].find((candidate) => candidate * power <= value * (1 + 1e-9)) ?? 1;
  return digit * power;
}

function nextMark(mark: number): number {
  const power = 10 ** Math.floor(Math.log10(mark) + 1e-9);
  const digit = Math.round(mark / power);
  return digit === 1 ? 2 * power : digit === 2 ? 5 * power : 10 * power;
}

function legend(series: readonly string[]): string[] {
  return series.flatMap((name, at) => {
    const x = LABELS + at * 190;
    return [
      `<rect x="${x}" y="28" width="10" height="10" fill="${colorOf(at)}"/>`,
      `<text x="${x + 15}" y="37">${escaped(name)}</text>`,
    ];
  });
}

function grid({ origin, format }: BarChart, { marks, x }: Scale, plotHeight: number): string[] {
  const bottom = TOP + plotHeight;
  return marks.flatMap((mark) => {
    const isOrigin = origin !== undefined && Math.abs(mark / origin - 1) < 1e-9;
    const stroke = isOrigin ? '#333333' : '#dddddd';
    const at = fixed(x(mark));
    return [
      `<line x1="${at}" y1="${TOP - 6}" x2="${at}" y2="${bottom}" stroke="${stroke}"/>`,
      `<text x="${at}" y="${bottom + 16}" text-anchor="middle" fill="#555555">${escaped(format(mark))}</text>`,
    ];
  });
}

function drawBar(
  { origin, format }: BarChart,
  { least, x }: Scale,
  { value, aim }: Bar,
  top: number,
  series: number,
): string[] {
  const y = top + series * BAR;
  const parts: string[] = [];
  if (value !== undefined) {
    const from = x(origin ?? least);
    const to = x(value);
    parts.push(
      `<rect x="${fixed(Math.min(from, to))}" y="${fixed(y)}" ` +
        `width="${fixed(Math.max(Math.abs(to - from), 1))}" height="${BAR - 2}" fill="${colorOf(series)}"/>`,
      `<text x="${fixed(Math.max(from, to) + 5)}" y="${fixed(y + BAR - 3)}" ` +
        `font-size="9">${escaped(format(value))}</text>`,
    );
  }
  if (aim !== undefined) {
    const at = fixed(x(aim));
    parts.push(
      `<line x1="${at}" y1="${fixed(y - 1)}" x2="${at}" y2="${fixed(y + BAR - 1)}" stroke="#000000" stroke-width="2"/>`,
    );
  }
  return parts;
}

function colorOf(series: number): string {
  return COLORS[series % COLORS.length] ?? '#000000';
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
