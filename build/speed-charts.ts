// Draws docs/speed.svg and docs/payload-sizes.svg from the tables in docs/speed.md.
// node build/speed-charts.ts

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '../docs');

/** SPEED_CHARTS are the drawings, with what draws each. */
export const SPEED_CHARTS: readonly { readonly file: string; readonly draw: () => string }[] = [
  { file: join(DOCS, 'speed.svg'), draw: drawLoads },
  { file: join(DOCS, 'payload-sizes.svg'), draw: drawPayloadSizes },
];

/** Colours are readable on a light and on a dark page, and to who sees no red or no green. */
const COLOURS: Readonly<Record<string, string>> = { midge: '#2d7fd3', mosquitto: '#d9822b', 'stock Aedes': '#8c8c8c' };
const INK = '#7d8590';
const FONT = `font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14"`;

interface Row {
  readonly load: string;
  /** Thousand messages per second, by broker. */
  readonly rates: ReadonlyMap<string, number>;
}

/** readTable gives the rows below a heading whose figures are rates. */
function readTable(heading: string): readonly Row[] {
  const sections = readFileSync(join(DOCS, 'speed.md'), 'utf8').split(/^#+ /m);
  const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const [head = [], , ...rows] = [...section.matchAll(/^\|(.+)\|$/gm)].map(([, cells = '']) => cells.split('|').map((cell) => cell.trim()));
  return rows.flatMap(([load = '', ...figures]) => {
    const rates = figures.flatMap((figure, index): [string, number][] => {
      const [, rate] = /^([\d,.]+)( \(.*\))?$/.exec(figure) ?? [];
      const broker = head[index + 1] ?? '';
      return rate === undefined || !(broker in COLOURS) ? [] : [[broker, Number(rate.replaceAll(',', ''))]];
    });
    return rates.length === 0 ? [] : [{ load, rates: new Map(rates) }];
  });
}

/** A scale of powers of ten: from 10^low at `start` to 10^high at `end`, in pixels. */
function logScale(low: number, high: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((Math.log10(value) - low) / (high - low)) * (end - start);
}

function drawLoads(): string {
  const rows = readTable('Speed');
  const [left, width, bar, top] = [330, 780, 11, 60];
  const at = logScale(1, 4, left, width - 70);
  const brokers = Object.keys(COLOURS);
  const height = bar * brokers.length + 14;
  const parts = rows.flatMap(({ load, rates }, index) => {
    const y = top + index * height;
    const bars = brokers.flatMap((broker, place) => {
      const rate = rates.get(broker);
      if (rate === undefined) return [];
      const line = y + place * bar;
      return [
        `  <rect x="${left}" y="${line}" width="${round(at(rate) - left)}" height="${bar - 2}" fill="${COLOURS[broker]}"/>`,
        `  <text x="${round(at(rate) + 5)}" y="${line + 9}" fill="${INK}" font-size="10">${rate.toLocaleString('en')}</text>`,
      ];
    });
    return [`  <text x="${left - 10}" y="${y + 20}" fill="${INK}" text-anchor="end" font-size="12">${shortened(load)}</text>`, ...bars];
  });
  const bottom = top + rows.length * height;
  const lines = [10, 100, 1000, 10_000].map((value) => gridLine(at(value), top - 8, bottom, value.toLocaleString('en')));
  return svg(width, bottom + 34, 'Thousand messages per second by load, for midge, mosquitto and stock Aedes', [
    ...legend(brokers, left),
    ...lines,
    ...parts,
    `  <text x="${(left + width) / 2}" y="${bottom + 28}" fill="${INK}" text-anchor="middle" font-size="12">thousand messages per second; each line is ten times the one before</text>`,
  ]);
}

function drawPayloadSizes(): string {
  const rows = readTable('Large payloads, many clients').flatMap(({ load, rates }) => {
    const [, amount, unit] = /pairs, (\d+) (bytes|KiB|MiB)$/.exec(load) ?? [];
    const factor = unit === 'MiB' ? 1_048_576 : unit === 'KiB' ? 1024 : 1;
    return amount === undefined || load.includes('1,000 pairs')
      ? []
      : [{ size: Number(amount) * factor, label: `${amount} ${unit}`, rates }];
  });
  const [left, right, top, bottom] = [80, 700, 60, 380];
  const x = logScale(Math.log10(rows[0]!.size), Math.log10(rows.at(-1)!.size), left + 20, right - 30); // the table has rows
  const y = logScale(-1, 4, bottom, top);
  const brokers = Object.keys(COLOURS).filter((broker) => rows.some(({ rates }) => rates.has(broker)));
  const curves = brokers.flatMap((broker) => {
    const points = rows.flatMap(({ size, rates }) => (rates.has(broker) ? [[round(x(size)), round(y(rates.get(broker)!))] as const] : [])); // just looked
    const path = points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px} ${py}`).join('');
    const dots = points.map(([px, py]) => `  <circle cx="${px}" cy="${py}" r="4" fill="${COLOURS[broker]}"/>`);
    return [`  <path d="${path}" fill="none" stroke="${COLOURS[broker]}" stroke-width="2.5"/>`, ...dots];
  });
  const rates = [0.1, 1, 10, 100, 1000, 10_000].flatMap((value) => [
    `  <path d="M${left} ${round(y(value))}H${right}" stroke="${INK}" stroke-opacity="0.3"/>`,
    `  <text x="${left - 8}" y="${round(y(value)) + 4}" fill="${INK}" text-anchor="end" font-size="12">${value.toLocaleString('en')}</text>`,
  ]);
  const sizes = rows.map(
    ({ size, label }) =>
      `  <text x="${round(x(size))}" y="${bottom + 20}" fill="${INK}" text-anchor="middle" font-size="12">${label}</text>`,
  );
  return svg(right + 20, bottom + 50, 'Thousand messages per second by size of the payload, for midge and mosquitto', [
    ...legend(brokers, left),
    ...rates,
    ...sizes,
    ...curves,
    `  <text x="${(left + right) / 2}" y="${bottom + 42}" fill="${INK}" text-anchor="middle" font-size="12">thousand messages per second by payload, QoS 0; both scales grow by tens</text>`,
  ]);
}

/** Loads of a table that leans on the row above are named in full. */
function shortened(load: string): string {
  const name = load
    .replace(/^the same, /, '20 pairs, ')
    .replace(/ \(.*\)$/, '')
    .replace('every message on another topic than the one before', 'topics change')
    .replace('sessions kept on disk', 'kept on disk')
    .replace('QoS 1 to 20 kept sessions that are away: acknowledged, durable', 'QoS 1 to 20 sessions that are away');
  return name.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function gridLine(x: number, top: number, bottom: number, label: string): string {
  return `  <path d="M${round(x)} ${top}V${bottom}" stroke="${INK}" stroke-opacity="0.3"/>\n  <text x="${round(x)}" y="${top - 6}" fill="${INK}" text-anchor="middle" font-size="12">${label}</text>`;
}

function legend(brokers: readonly string[], left: number): string[] {
  return brokers.flatMap((broker, index) => {
    const x = left + index * 130;
    return [
      `  <rect x="${x}" y="12" width="14" height="14" fill="${COLOURS[broker]}"/>`,
      `  <text x="${x + 20}" y="24" fill="${INK}">${broker}</text>`,
    ];
  });
}

function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}" ${FONT}>\n${parts.join('\n')}\n</svg>\n`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

if (import.meta.main) for (const { file, draw } of SPEED_CHARTS) writeFileSync(file, draw());
