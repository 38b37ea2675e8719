// `-d`: the program starts itself again without a terminal, and the caller gets its prompt back when the ports are open.

import { type ChildProcess, spawn } from 'node:child_process';
import { isSea } from 'node:sea';
import type { Writable } from 'node:stream';

/** Set in the process in the background, so that it does not go there again. */
const MARK = 'MIDGE_IN_BACKGROUND';

/** What the process in the background says when it is ready. */
interface Ready {
  readonly ready: true;
  /** Text for the person at the terminal. */
  readonly text: string;
}

/** isInBackground tells whether this process was started by `goToBackground`. */
export function isInBackground(): boolean {
  return process.env[MARK] !== undefined;
}

/** goToBackground starts this program again, detached, and resolves when it is ready (0) or has ended (its status). What it wrote to stderr until then is shown. */
export function goToBackground(output: { readonly stdout: Writable; readonly stderr: Writable }): Promise<number> {
  const child = startAgain();
  child.stderr?.pipe(output.stderr, { end: false });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      output.stderr.write(`Cannot go to the background: ${error.message}\n`);
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
    child.once('message', ({ text }: Ready) => {
      output.stdout.write(text);
      letGo(child);
      resolve(0);
    });
  });
}

/** sayReady lets the caller of `goToBackground` go. */
export function sayReady(text: string): void {
  const ready: Ready = { ready: true, text };
  process.send?.(ready, () => {
    if (process.connected) process.disconnect();
  });
}

function startAgain(): ChildProcess {
  const script = isSea() ? [] : [process.argv[1] ?? ''];
  return spawn(process.execPath, [...process.execArgv, ...script, ...process.argv.slice(2)], {
    argv0: process.argv0,
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function letGo(child: ChildProcess): void {
  child.stderr?.unpipe();
  child.stderr?.destroy();
  if (child.connected) child.disconnect();
  child.unref();
}
