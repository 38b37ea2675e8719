// A foreign program in a test: its lines can be waited for, and it ends with the test.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

/** Milliseconds before a test gives up on a line that must come. */
const PATIENCE = 30_000;

/** WatchedProcess is a running program. */
export interface WatchedProcess {
  readonly lines: readonly string[];
  readonly pid: number;
  /** line resolves with the first line of stdout or stderr, written already or later, that the pattern matches; rejects with all lines when none comes within `patience` milliseconds. `from` leaves out the lines before that index. */
  line(pattern: RegExp, from?: number, patience?: number): Promise<string>;
  /** end sends SIGTERM and resolves with the exit status, or null when a signal ended it. */
  end(): Promise<number | null>;
  /** kill ends the program as a power cut ends a machine. */
  kill(): Promise<void>;
  /** ended resolves when the program has ended, however. */
  readonly ended: Promise<void>;
}

/** watchProcess starts a program; it is killed by its pid when the test ends. */
export function watchProcess(test: TestContext, [command, words]: [string, string[]], env: Record<string, string> = {}): WatchedProcess {
  const child = spawn(command, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const wakers = new Set<() => void>();
  const wake = () => {
    for (const waker of wakers) waker();
  };
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      wake();
    });
  }
  child.on('error', (error) => lines.push(error.message));
  child.on('exit', wake);
  test.after(() => end(child, 'SIGKILL'));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    ended,
    lines,
    pid: child.pid ?? 0,
    line: (pattern, from = 0, patience = PATIENCE) => lineOf({ pattern, from, patience }, lines, wakers, command),
    end: () => end(child, 'SIGTERM'),
    kill: async () => void (await end(child, 'SIGKILL')),
  };
}

interface Wanted {
  readonly pattern: RegExp;
  readonly from: number;
  readonly patience: number;
}

async function lineOf({ pattern, from, patience }: Wanted, lines: string[], wakers: Set<() => void>, command: string): Promise<string> {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = lines.slice(from).find((line) => pattern.test(line));
    if (found !== undefined) return found;
    const left = deadline - Date.now();
    if (left <= 0) throw new Error(`${command} wrote no line like ${pattern}:\n${lines.join('\n')}`);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      const waker = () => {
        clearTimeout(timer);
        wakers.delete(waker);
        resolve();
      };
      wakers.add(waker);
    });
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
  return child.exitCode;
}
