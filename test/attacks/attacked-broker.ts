// The executable under attack: started as a service would start it, in a folder and within a memory limit of the test's own.
//
// With MIDGE_ATTACK=sources in the environment the sources run in its place, for work on a defence.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EXECUTABLES } from '../artefact/executable.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { limitMemory, type MemoryLimit, memoryLimitObstacle } from '../support/process/memory-limit.ts';
import { type WatchedProcess, watchProcess } from '../support/process/watched-process.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** PI_MEMORY is the share of a Raspberry Pi with 1 GB that a broker may take, in bytes. */
export const PI_MEMORY = 700 * 1024 * 1024;

export interface AttackedOptions {
  /** Text of the configuration file; {folder} stands for the broker's folder, each {port} for a free port. */
  readonly configuration: string;
  /** Bytes. Null: no limit. */
  readonly memory?: number | null;
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors that the process may have. */
  readonly descriptors?: number;
}

/** AttackedBroker is a running broker; `port` is that of its first TCP listener on IPv4 or, without one, of its first WebSocket listener. */
export interface AttackedBroker {
  readonly folder: string;
  readonly port: number;
  readonly process: WatchedProcess;
  /** Null without a memory limit. */
  readonly memory: MemoryLimit | null;
  /** residentBytes is what the process has in memory now, and residentPeak the most that it had. */
  residentBytes(): number;
  residentPeak(): number;
  /** processorSeconds is the processor time used so far, of all threads. */
  processorSeconds(): number;
  /** isRunning is false once the process has ended, for whatever reason. */
  isRunning(): boolean;
}

/** attackObstacle says why no broker can be attacked here, or false: the `skip` of such a test. */
export function attackObstacle({ limited = true } = {}): string | false {
  return program().skip || (limited && memoryLimitObstacle());
}

/** midgeWords gives the command that runs `midge WORDS`. */
export function midgeWords(...words: readonly string[]): [string, string[]] {
  const { command, before } = program();
  return [command, [...before, ...words]];
}

/** startAttacked starts a broker and waits until it runs. Called again with `folder`, it starts on what the last one left. */
export async function startAttacked(test: TestContext, options: AttackedOptions, folder = temporaryFolder(test)): Promise<AttackedBroker> {
  const file = join(folder, 'midge.conf');
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const ports = await freePorts(options.configuration.split('{port}').length - 1);
  const text = options.configuration.replaceAll('{folder}', folder).replaceAll('{port}', () => String(ports.shift()));
  writeFileSync(file, text, { mode: 0o600 });
  const memory = typeof options.memory === 'number' ? limitMemory(test, options.memory) : null;
  const serve = midgeWords('serve', '-c', file, '--state', join(folder, 'state'));
  const plain = options.descriptors === undefined ? serve : fewDescriptors(options.descriptors, serve);
  const env = { HOME: folder, XDG_STATE_HOME: join(folder, 'home-state'), ...options.env };
  const process = watchProcess(test, memory === null ? plain : memory.words(...plain), env);
  await process.line(/version .* running$/);
  const opened = await process.line(/Opening (ipv4|websockets) listen socket on port \d+\.$/);
  return {
    folder,
    port: Number(/(\d+)\.$/.exec(opened)?.[1]),
    process,
    memory,
    residentBytes: () => readStatus(process.pid, 'VmRSS'),
    residentPeak: () => readStatus(process.pid, 'VmHWM'),
    processorSeconds: () => readProcessorSeconds(process.pid),
    isRunning: () => isRunning(process.pid),
  };
}

function fewDescriptors(count: number, [command, words]: [string, string[]]): [string, string[]] {
  return ['/bin/sh', ['-c', `ulimit -n ${count} && exec "$0" "$@"`, command, ...words]];
}

function program(): { command: string; before: readonly string[]; skip: string | false } {
  if (process.env['MIDGE_ATTACK'] === 'sources') return { command: process.execPath, before: [MAIN], skip: false };
  const executable = EXECUTABLES.find(({ name }) => name === `midge-linux-${process.arch}`);
  if (executable === undefined) return { command: '', before: [], skip: `there is no executable for ${process.arch}` };
  return { command: executable.file, before: [], skip: executable.skip };
}

function readStatus(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (line === null) throw new Error(`Cannot read ${field} of process ${pid}: it has ended`);
  return Number(line[1]) * 1024;
}

/** proc_pid_stat(5): fields 14 and 15 are user and system time in ticks of 10 ms; the name before them may have blanks. */
function readProcessorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
