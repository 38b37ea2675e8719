// `make bench`: this broker, mosquitto and stock Aedes under the same loads in one run; prints the tables and writes dist/bench.md and docs/speed.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../../src/base/errors.ts';
import { aedes } from './brokers/aedes.ts';
import type { BenchBroker } from './brokers/broker.ts';
import { LIMITS } from './brokers/configuration.ts';
import { midge } from './brokers/midge.ts';
import { mosquitto, savingMosquitto } from './brokers/mosquitto.ts';
import { NULL_BROKER, nullBroker } from './brokers/null-broker.ts';
import { otherBroker } from './brokers/other.ts';
import { canPin, endChildren } from './child.ts';
import { type Generator, prepareGenerator } from './generator.ts';
import { familiesOf, LOADS, type Load } from './loads.ts';
import { commit, describeMachine, raiseFileLimit } from './machine.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { type LoadRow, type ReportHeader, reportBody, reportPage } from './report.ts';
import { type Conditions, measureContests } from './rounds.ts';
import type { ProbeRow } from './scale/probe.ts';
import { measureProbe, PROBES } from './scale/probes.ts';
import { writeSpeedPage } from './speed-page.ts';

const DIST = join(import.meta.dirname, '../../dist');
/** Topics that the null broker can tell apart, and clients for which its descriptors are enough everywhere. */
const CEILING_TOPICS = 100;
const CEILING_CLIENTS = 900;
const BROKER_NAMES = ['midge', 'mosquitto', 'aedes'];

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof OperatorError ? `Error: ${error.message}` : error);
  process.exitCode = error instanceof OperatorError ? error.exitCode : 1;
});

async function main(args: readonly string[]): Promise<void> {
  const rows = [...LOADS, ...PROBES].map((row) => row.name);
  const options = parseOptions(args, rows, BROKER_NAMES);
  if (options.help) return console.log(`${USAGE}\nRows: ${rows.join(', ')}`);
  process.once('exit', endChildren);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

  raiseFileLimit();
  const generator = prepareGenerator(options.javascript);
  const others = options.others.map(({ name, command }) => otherBroker(name, command));
  const brokers = [midge(options.binary), mosquitto, aedes, ...others].filter((broker) => options.brokers?.includes(broker.name) ?? true);
  const conditions = conditionsOf(options, generator);
  const header = headerOf(options, conditions, brokers, args);
  const loads = await measureLoads(options, brokers, conditions);
  const probes = await measureProbes(options, brokers, conditions);

  const page = reportPage(header, loads, probes);
  const folder = options.output ?? DIST;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'bench.md'), page);
  if (options.json) writeFileSync(join(folder, 'bench.json'), `${JSON.stringify({ ...header, loads, probes }, null, 2)}\n`);
  if (options.docs) writeSpeedPage(reportBody(header, loads, probes));
  console.log(page);
}

async function measureLoads(options: BenchOptions, brokers: readonly BenchBroker[], conditions: Conditions): Promise<LoadRow[]> {
  const wanted = LOADS.filter((load) => options.only?.includes(load.name) ?? (load.quick || !options.quick));
  const rows = new Map<string, LoadRow>();
  for (const family of familiesOf(wanted)) {
    console.error(`${family.map((load) => load.name).join(', ')} ...`);
    const ceiling = nullBroker(conditions.generator.nullBroker);
    const contests = family.map((load) => ({ load, brokers: contestantsOf(load, brokers, ceiling) }));
    const results = await measureContests(contests, conditions);
    for (const [i, load] of family.entries()) rows.set(load.name, { load, results: results[i] ?? [] });
  }
  return wanted.flatMap((load) => rows.get(load.name) ?? []);
}

/** Aedes keeps nothing on disk, and the null broker no sessions. */
function contestantsOf(
  { transport, sessions, settings }: Load,
  brokers: readonly BenchBroker[],
  ceiling: BenchBroker,
): readonly BenchBroker[] {
  if (sessions !== 'clean')
    return brokers.flatMap((broker) => (broker === aedes ? [] : broker === mosquitto ? [broker, savingMosquitto] : broker));
  const hasCeiling = transport === 'tcp' && (settings.topics ?? 1) <= CEILING_TOPICS && (settings.subscribers ?? 1) <= CEILING_CLIENTS;
  return hasCeiling ? [...brokers, ceiling] : brokers;
}

async function measureProbes(options: BenchOptions, brokers: readonly BenchBroker[], conditions: Conditions): Promise<ProbeRow[]> {
  const wanted = PROBES.filter((probe) => options.only?.includes(probe.name) ?? !options.quick);
  const rows: ProbeRow[] = [];
  for (const probe of wanted) {
    console.error(`${probe.name} ...`);
    const ceiling = nullBroker(conditions.generator.nullBroker);
    rows.push(...(await measureProbe(probe, probe.hasCeiling ? [...brokers, ceiling] : brokers, conditions)));
  }
  return rows;
}

function conditionsOf(options: BenchOptions, generator: Generator): Conditions {
  const pinned = !options.unpinned && canPin(cpus().length);
  const { rounds, seconds, warmup } = options;
  return { generator, rounds, seconds, warmup, brokerCore: pinned ? 0 : null, generatorCore: pinned ? 1 : null };
}

function headerOf(options: BenchOptions, conditions: Conditions, brokers: readonly BenchBroker[], args: readonly string[]): ReportHeader {
  const { rounds, seconds, warmup, generator, brokerCore } = conditions;
  const limits = Object.entries(LIMITS).map(([word, value]) => `${word} ${value}`);
  const versions = brokers.map((broker) => `${broker.name} ${broker.version() ?? `is not here (${broker.missing})`}`);
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ['node test/bench/bench.ts', ...args].join(' '),
    lines: [
      `Machine: ${describeMachine().join('; ')}`,
      `Brokers: ${versions.join(', ')}; commit ${commit() ?? 'unknown'}`,
      `Load: payloads of 64 bytes unless said, over loopback, closed loop (at most so many messages of a publisher outstanding), MQTT 3.1.1 unless said, TCP_NODELAY`,
      `Runs: ${rounds} per row and broker, brokers in turn, ${warmup} s to warm up and ${seconds} s measured each; a fresh process per row`,
      brokerCore === null
        ? 'Broker and generator are not pinned to cores'
        : 'Each broker (with all its threads) has one core, the generator the other',
      `Generator: ${generator.language}${generator.language === 'C' ? ', test/bench/generator/generate.c, compiled here' : ' (no C compiler: it may be the limit)'}; ` +
        `${NULL_BROKER} = the same against test/bench/generator/null-broker.c`,
      `midge and mosquitto read the same file: ${limits.join(', ')}, persistence false but for kept sessions; aedes has its own defaults (no such limits)`,
      ...(options.quick ? ['Quick mode: short runs, expect more noise'] : []),
    ],
  };
}
