// Child processes of the bench: pinned to a core where that can be done, ended by their own id, also when the bench fails.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from '../../src/base/errors.ts';

const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 5_000;
const RETRY_MS = 20;
const KEPT_OUTPUT = 4096;

/** Child is a started program. */
export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** output is the end of what it wrote to stderr. */
  output(): string;
  /** stop ends it and resolves when it is gone. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** endChildren kills what still runs: the last resort when the bench itself is ended. */
export function endChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** canPin tells whether taskset(1) is here and there are two cores to share out. */
export function canPin(cores: number): boolean {
  return cores >= 2 && spawnSync('taskset', ['-V']).status === 0;
}

/** startChild runs a program, on one core when `core` is not null. Its stdout is a pipe to read, its stdin stays open until it is stopped. */
export async function startChild(command: string, args: readonly string[], core: number | null): Promise<Child> {
  const line = core === null ? [command, ...args] : ['taskset', '-c', String(core), command, ...args];
  const child = spawn(line[0] ?? command, line.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let tail = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-KEPT_OUTPUT);
  });
  child.stdin.on('error', () => {}); // it may be gone before we close the pipe
  await once(child, 'spawn');
  return { pid: child.pid ?? 0, process: child, output: () => tail.trim(), stop: () => stopChild(child) };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.stdin?.end();
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await gone;
  clearTimeout(late);
}

/** waitForPort resolves when something listens on 127.0.0.1; throws OperatorError when the child ends or the limit passes first. */
export async function waitForPort(port: number, child: Child, name: string): Promise<void> {
  child.process.stdout?.resume(); // nobody reads it
  const limit = performance.now() + START_LIMIT_MS;
  while (performance.now() < limit) {
    if (child.process.exitCode !== null) throw new OperatorError(`Cannot start ${name}: ${lastLine(child) || 'it ended without a word'}`);
    if (await accepts(port)) return;
    await pause(RETRY_MS);
  }
  await child.stop();
  throw new OperatorError(`Cannot start ${name}: it does not listen after ${START_LIMIT_MS / 1000} s`);
}

/** firstLine waits for the first line that a child prints. */
export async function firstLine(child: Child, name: string): Promise<string> {
  const stdout = child.process.stdout;
  if (stdout === null) throw new OperatorError(`Cannot start ${name}: its output is not a pipe`);
  let text = '';
  for await (const chunk of stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw new OperatorError(`Cannot start ${name}: ${lastLine(child) || 'it ended without a word'}`);
}

// The line that says what was wrong: of a stack trace the one with the error, else the last.
function lastLine(child: Child): string {
  const lines = child.output().split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
