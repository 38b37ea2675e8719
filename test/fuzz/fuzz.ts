// npm run fuzz -- [--seconds N | --inputs N] [--seed N [--path P]] [TARGET...]
//
// Feeds every target, or those named, with inputs of its grammar, sound and damaged. Crashes, hangs and growth are findings: each is printed
// with the words that repeat it, and written to dist/fuzz/. Exit status 1 when there is one.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Finding, HuntOptions, HuntReport } from './hunt.ts';
import type { HunterData } from './hunter.ts';
import { type AnyTarget, TARGETS } from './targets.ts';

const FINDINGS = join(import.meta.dirname, '../../dist/fuzz');
/** Seconds without a finished input, after which a target hangs. */
const HANG = 60;
/** MiB of memory for the objects of a target: growth without end is found long before the machine has none. */
const HEAP = 1024;

/** The parts of all inputs that slow targets get: files have to be written for them. */
const SHARES: Readonly<Record<string, number>> = {
  database: 0.002,
  backup: 0.05,
  configuration: 0.2,
  websocket: 0.3,
  'dynamic-security-commands': 0.1,
  'http-api': 0.1,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) return help();
  const targets = positionals.length === 0 ? TARGETS : positionals.map(findTarget);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : wholeNumber('seed', values.seed);
  const bounds = boundsFor(targets);
  const findings: Finding[] = [];
  let inputs = 0;
  for (const target of targets) {
    const started = performance.now();
    const report = await huntApart(target, { seed, ...bounds(target), ...(values.path === undefined ? {} : { path: values.path }) });
    inputs += report.inputs;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const grown = `${(report.grown / 1024).toFixed(0)} KiB grown`;
    console.log(`${target.name.padEnd(20)} ${String(report.inputs).padStart(10)} inputs in ${seconds.padStart(6)} s, ${grown}`);
    if (report.finding !== null) findings.push(tell(target, report.finding));
  }
  console.log(`\n${inputs} inputs, ${findings.length} findings (seed ${seed})`);
  return findings.length === 0 ? 0 : 1;
}

/** What each target gets of the seconds or inputs in all. */
function boundsFor(targets: readonly AnyTarget[]): (target: AnyTarget) => { seconds: number; inputs: number } {
  const share = ({ name }: AnyTarget) => SHARES[name] ?? 1;
  const all = targets.reduce((sum, target) => sum + share(target), 0);
  if (values.inputs === undefined) {
    const seconds = wholeNumber('seconds', values.seconds ?? '60') / targets.length;
    return () => ({ seconds, inputs: Number.MAX_SAFE_INTEGER });
  }
  const inputs = wholeNumber('inputs', values.inputs);
  return (target) => ({ seconds: Number.MAX_SAFE_INTEGER / 1000, inputs: Math.ceil((inputs * share(target)) / all) });
}

/** huntApart hunts in a thread; one that hangs is ended. */
function huntApart(target: AnyTarget, options: HuntOptions): Promise<HuntReport> {
  const progress = new SharedArrayBuffer(8);
  const counters = new Int32Array(progress);
  const workerData: HunterData = { target: target.name, options, progress };
  const worker = new Worker(join(import.meta.dirname, 'hunter.ts'), { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP } });
  return new Promise((resolve) => {
    let [last, silence] = [-1, 0];
    const watch = setInterval(() => {
      silence = Atomics.load(counters, 0) === last ? silence + 1 : 0;
      last = Atomics.load(counters, 0);
      if (silence >= HANG) finish(`nothing has come back for ${HANG} s`);
    }, 1000);
    const finish = (reason: string) => {
      clearInterval(watch);
      void worker.terminate();
      const seed = Atomics.load(counters, 1) || options.seed;
      resolve({ inputs: Math.max(0, last), grown: 0, finding: { reason, input: '', seed, path: '' } });
    };
    worker.once('error', (error) => finish(`the thread has ended: ${error instanceof Error ? error.stack : String(error)}`));
    worker.once('message', (report: HuntReport) => {
      clearInterval(watch);
      void worker.terminate();
      resolve(report);
    });
  });
}

function tell(target: AnyTarget, finding: Finding): Finding {
  const path = finding.path === '' ? '' : ` --path ${finding.path}`;
  const again = `npm run fuzz -- --seed ${finding.seed}${path} ${target.name}`;
  const text = `${target.name}: ${finding.reason}\n\nInput: ${finding.input}\n\nAgain: ${again}\n`;
  mkdirSync(FINDINGS, { recursive: true });
  const file = join(FINDINGS, `${target.name}-${finding.seed}.txt`);
  writeFileSync(file, text);
  console.log(`\n${text}\nWritten to ${file}\n`);
  return finding;
}

function findTarget(name: string): AnyTarget {
  const target = TARGETS.find((each) => each.name === name);
  if (target === undefined)
    throw new Error(`There is no target "${name}" - the targets are ${TARGETS.map((each) => each.name).join(', ')}`);
  return target;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`Cannot read --${name} "${text}": it is no whole number`);
  return Number(text);
}

function help(): number {
  console.log('npm run fuzz -- [--seconds N (60) | --inputs N] [--seed N [--path P]] [TARGET...]\n');
  for (const { name, what } of TARGETS) console.log(`  ${name.padEnd(20)} ${what}`);
  return 0;
}

process.exitCode = await main();
