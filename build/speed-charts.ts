// Draws the pictures of docs/speed.md from the tables that `make bench` writes into it.
// node build/speed-charts.ts

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '../docs');

/** SPEED_CHARTS are the drawings, with what draws each. */
export const SPEED_CHARTS: readonly { readonly file: string; readonly draw: () => string }[] = [
  { file: join(DOCS, 'speed.svg'), draw: drawLoads },
  { file: join(DOCS, 'payload-sizes.svg'), draw: drawPayloadSizes },
  { file: join(DOCS, 'latency.svg'), draw: drawLatencies },
];

/** drawCharts writes all of them. */
export function drawCharts(): void {
  for (const { file, draw } of SPEED_CHARTS) writeFileSync(file, draw());
}

/** Readable on a light and on a dark page, and to who sees no red or no green; brokers beyond the first three take the last ones in turn. */
const COLOURS = ['#2d7fd3', '#d9822b', '#8c8c8c', '#8e5bb5', '#2a9d8f'];
const INK = '#7d8590';
/** Width of a letter of a legend, about, in pixels. */
const LETTER = 7.5;
const FONT = `font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14"`;

/** What the columns are called where a reader knows them by another name. */
const NAMES: Readonly<Record<string, string>> = { aedes: 'stock Aedes' };

/** Payloads of the rows with one load and several sizes, in bytes. */
const PAYLOAD_SIZES: Readonly<Record<string, number>> = {
  ...{ pairs: 64, 'pairs-256': 256, 'pairs-1k': 1024, 'pairs-4k': 4096, 'pairs-16k': 16_384, 'pairs-64k': 65_536, 'pairs-1m': 1_048_576 },
};

interface Row {
  readonly name: string;
  readonly load: string;
  /** Text of a broker's cell. */
  readonly cells: ReadonlyMap<string, string>;
}

/** readTable gives the rows of the table below a heading. */
function readTable(heading: string): readonly Row[] {
  const sections = readFileSync(join(DOCS, 'speed.md'), 'utf8').split(/^#+ /m);
  const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const table = /(?:^\|.+\|\n)+/m.exec(section)?.[0] ?? '';
  const [head = [], , ...rows] = table
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return rows.map(([name = '', load = '', ...cells]) => ({
    name: name.replaceAll('`', ''),
    load,
    cells: new Map(cells.flatMap((cell, index) => (isBroker(head[index + 2] ?? '') ? [[head[index + 2]!, cell] as const] : []))),
  }));
}

/** The other columns are ratios ("midge : mosquitto") and the ceiling. */
function isBroker(column: string): boolean {
  return column !== '' && column !== 'ceiling' && !column.includes(':');
}

/** The median of "11,346 (9,467-12,729)", or null where nothing was measured. */
function rateOf(cell: string | undefined): number | null {
  const [, rate] = /^([\d,.]+)( \(.*\))?$/.exec(cell ?? '') ?? [];
  return rate === undefined ? null : numberOf(rate);
}

function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''));
}

function brokersOf(rows: readonly Row[]): string[] {
  const measured = rows.flatMap((row) => [...row.cells].filter(([, cell]) => /\d/.test(cell)));
  return [...new Set(measured.map(([broker]) => broker))];
}

function colourOf(brokers: readonly string[], broker: string): string {
  const place = brokers.indexOf(broker);
  return COLOURS[place < COLOURS.length ? place : 3 + (place % 2)]!; // both are there
}

/** A scale of powers of ten: from 10^low at `start` to 10^high at `end`, in pixels. */
function logScale(low: number, high: number, start: number, end: number): (value: number) => number {
  return (value) => start + ((Math.log10(value) - low) / (high - low)) * (end - start);
}

function drawLoads(): string {
  const rows = [
    ...readTable('Messages').filter(({ name }) => name === 'pairs' || !(name in PAYLOAD_SIZES)),
    ...readTable('Messages to kept sessions'),
  ];
  const brokers = brokersOf(rows);
  const [left, width, bar, top] = [390, 840, 11, 60];
  const at = logScale(0, 4.3, left, width - 70);
  const height = bar * brokers.length + 14;
  const parts = rows.flatMap(({ load, cells }, index) => {
    const y = top + index * height;
    const bars = brokers.flatMap((broker, place) => {
      const rate = rateOf(cells.get(broker));
      if (rate === null) return [];
      const [line, end] = [y + place * bar, Math.max(at(rate), left + 1)];
      return [
        `  <rect x="${left}" y="${line}" width="${round(end - left)}" height="${bar - 2}" fill="${colourOf(brokers, broker)}"/>`,
        `  <text x="${round(end + 5)}" y="${line + 9}" fill="${INK}" font-size="10">${rate.toLocaleString('en')}</text>`,
      ];
    });
    return [`  <text x="${left - 10}" y="${y + 20}" fill="${INK}" text-anchor="end" font-size="12">${escaped(load)}</text>`, ...bars];
  });
  const bottom = top + rows.length * height;
  const lines = [1, 10, 100, 1000, 10_000].map((value) => verticalLine(at(value), top - 8, bottom, value.toLocaleString('en')));
  return svg(width, bottom + 34, `Thousand messages per second by load, for ${listed(brokers)}`, [
    ...legend(brokers, left, width),
    ...lines,
    ...parts,
    caption((left + width) / 2, bottom + 28, 'thousand messages per second; each line is ten times the one before'),
  ]);
}

function drawPayloadSizes(): string {
  const rows = readTable('Messages').filter(({ name }) => name in PAYLOAD_SIZES);
  const brokers = brokersOf(rows);
  const sizeOf = ({ name }: Row) => PAYLOAD_SIZES[name]!; // just looked
  const [left, right, top, bottom] = [80, 700, 60, 380];
  const x = logScale(Math.log10(64), Math.log10(1_048_576), left + 20, right - 30);
  const y = logScale(-1, 4, bottom, top);
  const curves = brokers.flatMap((broker) => {
    const points = rows.flatMap((row) => {
      const rate = rateOf(row.cells.get(broker));
      return rate === null ? [] : [[round(x(sizeOf(row))), round(y(Math.max(rate, 0.1)))] as const];
    });
    const path = points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px} ${py}`).join('');
    const dots = points.map(([px, py]) => `  <circle cx="${px}" cy="${py}" r="4" fill="${colourOf(brokers, broker)}"/>`);
    return points.length === 0
      ? []
      : [`  <path d="${path}" fill="none" stroke="${colourOf(brokers, broker)}" stroke-width="2.5"/>`, ...dots];
  });
  const rates = [0.1, 1, 10, 100, 1000, 10_000].flatMap((value) => [
    `  <path d="M${left} ${round(y(value))}H${right}" stroke="${INK}" stroke-opacity="0.3"/>`,
    `  <text x="${left - 8}" y="${round(y(value)) + 4}" fill="${INK}" text-anchor="end" font-size="12">${value.toLocaleString('en')}</text>`,
  ]);
  const sizes = rows.map((row) => {
    const bytes = sizeOf(row);
    const label = bytes < 1024 ? `${bytes} bytes` : bytes < 1_048_576 ? `${bytes / 1024} KiB` : `${bytes / 1_048_576} MiB`;
    return `  <text x="${round(x(bytes))}" y="${bottom + 20}" fill="${INK}" text-anchor="middle" font-size="12">${label}</text>`;
  });
  return svg(right + 20, bottom + 50, `Thousand messages per second by size of the payload, for ${listed(brokers)}`, [
    ...legend(brokers, left, right),
    ...rates,
    ...sizes,
    ...curves,
    caption((left + right) / 2, bottom + 42, 'thousand messages per second by payload, pairs with QoS 0; both scales grow by tens'),
  ]);
}

/** One message at a time: from p50 by p99 to p99.9. */
function drawLatencies(): string {
  const rows = readTable('Latency').filter(({ name }) => name.startsWith('one-by-one'));
  const brokers = brokersOf(rows);
  const [left, width, lane, top] = [300, 760, 22, 60];
  const at = logScale(1, 4, left, width - 30);
  const height = lane * brokers.length + 16;
  const parts = rows.flatMap(({ load, cells }, index) => {
    const y = top + index * height;
    const lanes = brokers.flatMap((broker, place) => {
      const percentiles = (cells.get(broker) ?? '').split(' / ').map(numberOf);
      if (percentiles.length !== 3 || percentiles.some(Number.isNaN)) return [];
      const [line, colour, places] = [y + place * lane + 10, colourOf(brokers, broker), percentiles.map((value) => round(at(value)))];
      return [
        `  <path d="M${places[0]} ${line}H${places[2]}" stroke="${colour}" stroke-width="2.5"/>`,
        ...places.map((px, i) => `  <circle cx="${px}" cy="${line}" r="${5 - i}" fill="${colour}"/>`),
        `  <text x="${places[2]! + 9}" y="${line + 4}" fill="${INK}" font-size="10">${percentiles.join(' / ')}</text>`, // there are three
      ];
    });
    const middle = y + (brokers.length * lane) / 2 + 4;
    return [`  <text x="${left - 10}" y="${middle}" fill="${INK}" text-anchor="end" font-size="12">${escaped(load)}</text>`, ...lanes];
  });
  const bottom = top + rows.length * height;
  const lines = [10, 100, 1000, 10_000].map((value) => verticalLine(at(value), top - 8, bottom, value.toLocaleString('en')));
  return svg(width, bottom + 34, `Latency percentiles with one message at a time, for ${listed(brokers)}`, [
    ...legend(brokers, left, width),
    ...lines,
    ...parts,
    caption((left + width) / 2, bottom + 28, 'microseconds from write to read: p50, p99 and p99.9'),
  ]);
}

function verticalLine(x: number, top: number, bottom: number, label: string): string {
  return `  <path d="M${round(x)} ${top}V${bottom}" stroke="${INK}" stroke-opacity="0.3"/>\n  <text x="${round(x)}" y="${top - 6}" fill="${INK}" text-anchor="middle" font-size="12">${label}</text>`;
}

function caption(x: number, y: number, words: string): string {
  return `  <text x="${x}" y="${y}" fill="${INK}" text-anchor="middle" font-size="12">${words}</text>`;
}

/** The names of the brokers in a line from `left` on, or ending at `right` where they are long. */
function legend(brokers: readonly string[], left: number, right: number): string[] {
  const names = brokers.map((broker) => NAMES[broker] ?? broker);
  const widths = names.map((name) => 44 + name.length * LETTER);
  const total = widths.reduce((sum, each) => sum + each, 0);
  let x = Math.min(left, right - total);
  return brokers.flatMap((broker, index) => {
    const at = x;
    x += widths[index]!; // one for each
    return [
      `  <rect x="${at}" y="12" width="14" height="14" fill="${colourOf(brokers, broker)}"/>`,
      `  <text x="${at + 20}" y="24" fill="${INK}">${escaped(names[index]!)}</text>`,
    ];
  });
}

function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}" ${FONT}>\n${parts.join('\n')}\n</svg>\n`;
}

function listed(brokers: readonly string[]): string {
  return escaped(new Intl.ListFormat('en').format(brokers.map((broker) => NAMES[broker] ?? broker)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

if (import.meta.main) drawCharts();
