// The load generator as the bench sees it: compiled from C into .cache/ at the first run, or the JavaScript one where there is no compiler.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { OperatorError } from '../../src/base/errors.ts';
import { startChild } from './child.ts';

const SOURCES = join(import.meta.dirname, 'generator');
const CACHE = join(import.meta.dirname, '../../.cache/bench');
const FLAGS = ['-O2', '-std=gnu11', '-Wall', '-Wextra'];

/** Measurement is what one run gives. Latencies in microseconds from write to read, CPU in cores (1 = one core busy). */
export interface Measurement {
  /** Messages delivered to subscribers per second of the measured time; acknowledged ones where there are no subscribers. */
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly seconds: number;
  /** Deliveries of the whole run, warm-up included: what should have come, and what came. */
  readonly expected: number;
  readonly delivered: number;
  readonly duplicates: number;
  /** Messages given up because nothing moved for two seconds. */
  readonly writtenOff: number;
  readonly generatorCpu: number;
  readonly brokerCpu: number;
  /** Per second, warm-up included; null where the broker does not tell. */
  readonly fsyncs?: number | null;
}

/** Generator runs loads. */
export interface Generator {
  readonly language: 'C' | 'JavaScript';
  readonly tls: boolean;
  /** Path of the compiled null broker, or null. */
  readonly nullBroker: string | null;
  /** run starts one run; `settings` are the arguments of generator/generate.c. Throws OperatorError with its reason when it fails. */
  run(settings: Readonly<Record<string, number | string>>): Promise<Measurement>;
}

/** prepareGenerator compiles what is missing or older than its sources. `javascript` forces the fallback. */
export function prepareGenerator(javascript: boolean): Generator {
  const nullBroker = compile('null-broker', []);
  const withTls = javascript ? null : compile('generate', ['-DWITH_TLS', '-lssl', '-lcrypto']);
  const program = javascript ? null : (withTls ?? compile('generate-plain', []));
  const command = program === null ? [process.execPath, join(SOURCES, 'generate.ts')] : [program];
  return {
    language: program === null ? 'JavaScript' : 'C',
    tls: program === null || withTls !== null,
    nullBroker,
    run: (settings) => run(command, settings),
  };
}

/** compilerVersion is the first line of `cc --version`, or null. */
export function compilerVersion(): string | null {
  const result = spawnSync(compiler(), ['--version'], { encoding: 'utf8' });
  return result.status === 0 ? (result.stdout.split('\n')[0] ?? null) : null;
}

function compiler(): string {
  return process.env['CC'] ?? 'cc';
}

function compile(name: string, extra: readonly string[]): string | null {
  const source = join(SOURCES, `${name.replace('-plain', '')}.c`);
  const program = join(CACHE, name);
  const newest = Math.max(...[source, join(SOURCES, 'wire.h'), join(SOURCES, 'connection.h')].map(changedAt));
  if (changedAt(program) >= newest) return program;
  mkdirSync(CACHE, { recursive: true });
  const fresh = `${program}.${process.pid}`; // another bench may be running the old one
  if (spawnSync(compiler(), [...FLAGS, '-o', fresh, source, ...extra], { stdio: 'ignore' }).status !== 0) return null;
  renameSync(fresh, program);
  return program;
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function run(command: readonly string[], settings: Readonly<Record<string, number | string>>): Promise<Measurement> {
  const [program = '', ...before] = command;
  const child = await startChild(program, [...before, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)], null);
  const closed = once(child.process, 'close'); // its last words on stderr have come then
  try {
    if (child.process.stdout === null) throw new Error('its output is not a pipe');
    const [printed] = await Promise.all([text(child.process.stdout), closed]);
    return JSON.parse(printed) as Measurement; // printed by our own program
  } catch (cause) {
    throw new OperatorError(`Cannot measure: ${child.output() || String(cause)}`, { cause });
  } finally {
    await child.stop();
  }
}
