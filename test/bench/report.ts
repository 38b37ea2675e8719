// The report: results to a Markdown page.

import { NULL_BROKER } from './brokers/null-broker.ts';
import type { Measurement } from './generator.ts';
import type { Load } from './loads.ts';
import type { BrokerResult } from './rounds.ts';
import type { ProbeRow } from './scale/probe.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** REFERENCE is the broker that ratios are taken to. */
export const REFERENCE = 'mosquitto';

/** GENERATOR_LIMIT: a generator that uses more of its core than this may be what limits a rate. */
export const GENERATOR_LIMIT = 0.9;

const NEAR_CEILING = 0.7;
const BROKER_IDLE = 0.9; // a broker below this share of a core was not what limited the rate

/** LoadRow is one load with what every broker reached. */
export interface LoadRow {
  readonly load: Load;
  readonly results: readonly BrokerResult[];
}

export interface ReportHeader {
  readonly date: string;
  /** Lines about machine, versions and conditions. */
  readonly lines: readonly string[];
  /** The command that made the report. */
  readonly command: string;
}

/** reportPage makes the whole page. */
export function reportPage(header: ReportHeader, loads: readonly LoadRow[], probes: readonly ProbeRow[]): string {
  return `# Speed, measured ${header.date}\n\n${reportBody(header, loads, probes)}`;
}

/** reportBody is the page without its title. */
export function reportBody(header: ReportHeader, loads: readonly LoadRow[], probes: readonly ProbeRow[]): string {
  const parts = [header.lines.map((line) => `- ${line}`).join('\n'), `Repeat with \`${header.command}\`.`];
  const [clean, kept] = [loads.filter((row) => row.load.sessions === 'clean'), loads.filter((row) => row.load.sessions !== 'clean')];
  if (clean.length > 0) parts.push(...loadParts(clean));
  if (kept.length > 0) parts.push(...keptParts(kept));
  if (loads.length > 0) parts.push(...latencyParts(loads));
  if (probes.length > 0) parts.push('### Many clients, subscriptions and retained messages', probeTable(probes));
  return `${parts.join('\n\n')}\n`;
}

function loadParts(rows: readonly LoadRow[]): string[] {
  const remarks = rows.flatMap(remarksOf);
  return [
    '### Messages',
    'Deliveries per second in thousands: median (least-most of the rounds). The ratio is taken round by round against the mosquitto run beside it. ' +
      'Ceiling: what the generator reaches against a program that only copies.',
    messageTable(rows),
    ...variantTable(rows),
    remarks.length > 0
      ? remarks.map((remark) => `- ${remark}`).join('\n')
      : 'Every message of every run was delivered once and in order; the generator was nowhere the limit.',
  ];
}

function keptParts(rows: readonly LoadRow[]): string[] {
  return [
    '### Messages to kept sessions',
    'midge acknowledges a message when it is on the disk or every session has it. mosquitto acknowledges at once and writes its whole database every half hour, or ' +
      'every second with autosave_interval 1. Rates as above; where the sessions are away, messages acknowledged per second.',
    messageTable(rows),
    rows
      .flatMap(remarksOf)
      .map((remark) => `- ${remark}`)
      .join('\n'),
  ];
}

function latencyParts(rows: readonly LoadRow[]): string[] {
  const names = brokersOf(rows);
  return [
    '### Latency',
    'In microseconds from the write of a message to its read, or to its PUBACK where the sessions are away: p50 / p99 / p99.9, medians of the rounds. Only the rows with one message at ' +
      'a time show what a message needs. In the others it waits for those before it.',
    markdownTable(
      ['row', 'load', ...names],
      rows.map((row) => [`\`${row.load.name}\``, row.load.title, ...names.map((name) => latencyCell(resultOf(row, name)))]),
    ),
  ];
}

/** messageTable is one line per load. */
export function messageTable(rows: readonly LoadRow[]): string {
  const names = brokersOf(rows);
  const compared = names.filter((name) => name !== REFERENCE && names.includes(REFERENCE));
  const head = ['row', 'load', ...names, ...compared.map((name) => `${name} : ${REFERENCE}`), 'ceiling'];
  const body = rows.map((row) => [
    `\`${row.load.name}\``,
    row.load.title,
    ...names.map((name) => rateCell(resultOf(row, name))),
    ...compared.map((name) => ratioCell(resultOf(row, name), resultOf(row, REFERENCE))),
    rateCell(resultOf(row, NULL_BROKER)),
  ]);
  return markdownTable(head, body);
}

/** variantTable shows, for rows that are variants of another in the report, what part of its rate is left, taken round by round; [] without such rows. */
function variantTable(rows: readonly LoadRow[]): string[] {
  const names = brokersOf(rows);
  const body = rows.flatMap((row) => {
    const base = rows.find((other) => other.load.name === row.load.variantOf);
    if (base === undefined) return [];
    return [
      [`\`${row.load.name}\``, `of \`${base.load.name}\``, ...names.map((name) => shareCell(resultOf(row, name), resultOf(base, name)))],
    ];
  });
  return body.length === 0 ? [] : [markdownTable(['row', 'rate as a part', ...names], body)];
}

function shareCell(result: BrokerResult | null, base: BrokerResult | null): string {
  const ratios = roundRatios(result, base);
  return ratios.length === 0 ? '-' : `${(100 * spreadOf(ratios).median).toFixed(0)} %`;
}

function probeTable(rows: readonly ProbeRow[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.cells)))];
  return markdownTable(
    ['row', 'measured', ...names],
    rows.map((row) => [`\`${row.name}\``, row.title, ...names.map((name) => row.cells[name] ?? '-')]),
  );
}

function markdownTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column < 2 ? '---' : '---:'));
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The brokers that were measured, in the order of the rows' results. */
function brokersOf(rows: readonly LoadRow[]): string[] {
  const names = rows.flatMap((row) => row.results.map((result) => result.broker));
  return [...new Set(names)].filter((name) => name !== NULL_BROKER);
}

function resultOf(row: LoadRow, name: string): BrokerResult | null {
  return row.results.find((result) => result.broker === name && result.measurements.length > 0) ?? null;
}

function rateCell(result: BrokerResult | null): string {
  if (result === null) return '-';
  const { median, least, most } = spread(result, (one) => one.rate / 1000);
  return result.measurements.length === 1 ? thousands(median) : `${thousands(median)} (${thousands(least)}-${thousands(most)})`;
}

function ratioCell(result: BrokerResult | null, reference: BrokerResult | null): string {
  const ratios = roundRatios(result, reference);
  return ratios.length === 0 ? '-' : spreadOf(ratios).median.toFixed(1);
}

function roundRatios(result: BrokerResult | null, beside: BrokerResult | null): number[] {
  if (result === null || beside === null) return [];
  return result.measurements.flatMap((one, round) => {
    const other = beside.measurements[round];
    return other === undefined || other.rate === 0 ? [] : [one.rate / other.rate];
  });
}

function latencyCell(result: BrokerResult | null): string {
  if (result === null) return '-';
  const percentiles = [(one: Measurement) => one.p50, (one: Measurement) => one.p99, (one: Measurement) => one.p999];
  return percentiles.map((value) => microseconds(spread(result, value).median)).join(' / ');
}

function spread(result: BrokerResult, value: (one: Measurement) => number): Spread {
  return spreadOf(result.measurements.map(value));
}

function thousands(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

function microseconds(value: number): string {
  return value < 100 ? value.toFixed(0) : Math.round(value).toLocaleString('en-US');
}

/** remarksOf says what a row's numbers hide: lost messages, runs that failed, a generator at its limit. */
export function remarksOf(row: LoadRow): string[] {
  return row.results.flatMap((result) => {
    const subject = `\`${row.load.name}\`, ${result.broker}:`;
    const remarks: string[] = [];
    if (result.failure !== null) remarks.push(`${subject} ${result.failure}`);
    const fsyncs = result.measurements.flatMap((one) => one.fsyncs ?? []);
    if (fsyncs.length > 0) remarks.push(`${subject} ${Math.round(spreadOf(fsyncs).median)} fsyncs per second`);
    const lost = total(result, (one) => one.expected - one.delivered);
    const expected = total(result, (one) => one.expected);
    if (lost > 0) remarks.push(`${subject} ${lost} of ${expected} deliveries were lost`);
    const duplicates = total(result, (one) => one.duplicates);
    if (duplicates > 0) remarks.push(`${subject} ${duplicates} deliveries came twice or out of order`);
    if (result.broker !== NULL_BROKER && result.measurements.some(generatorWasLimit)) {
      remarks.push(`${subject} the generator was at its limit; the broker can do more than is shown`);
    }
    const ceiling = row.load.settings.window > 1 ? resultOf(row, NULL_BROKER) : null;
    const part = Math.max(0, ...(result.broker === NULL_BROKER ? [] : roundRatios(result, ceiling)));
    if (part > NEAR_CEILING)
      remarks.push(`${subject} ${(100 * part).toFixed(0)} % of the ceiling: generator and kernel are a part of what limits it`);
    return remarks;
  });
}

function generatorWasLimit(one: Measurement): boolean {
  return one.generatorCpu > GENERATOR_LIMIT && one.brokerCpu < BROKER_IDLE;
}

function total(result: BrokerResult, value: (one: Measurement) => number): number {
  return result.measurements.reduce((sum, one) => sum + value(one), 0);
}
