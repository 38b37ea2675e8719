// Measures an executable: time from its start until port 1883 answers, and memory when idle: node build/measure-start.ts [FILE]

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PORT = 1883;
const STARTS = 9;
const POLL_MS = 2;
const GIVE_UP_MS = 10_000;
const IDLE_MS = 3000;

/** measure prints the first start, which makes keys and certificates, the later ones, and what is resident after three idle seconds. */
async function measure(file: string): Promise<void> {
  if (await answers()) throw new Error(`Cannot measure: port ${PORT} is in use - stop the other broker`);
  const home = mkdtempSync(join(tmpdir(), 'midge-measure-'));
  try {
    const times: number[] = [];
    let memory = '';
    for (let start = 0; start <= STARTS; start++) {
      const began = performance.now();
      const child = spawn(file, ['serve', '--state', join(home, 'state')], {
        cwd: home,
        env: { HOME: home, PATH: process.env['PATH'] },
        stdio: 'ignore',
      });
      try {
        await untilItAnswers(child, began);
        times.push(performance.now() - began);
        if (start === STARTS) memory = await idleMemory(child);
      } finally {
        if (child.kill()) await once(child, 'exit');
      }
    }
    const [first = 0, ...later] = times;
    const sorted = later.toSorted((a, b) => a - b);
    const show = (ms: number | undefined) => `${(ms ?? 0).toFixed(0)} ms`;
    console.log(`first start to listening   ${show(first)}`);
    console.log(
      `later starts               ${show(sorted[STARTS >> 1])} median, ${show(sorted[0])} to ${show(sorted.at(-1))}, of ${STARTS}`,
    );
    console.log(`idle memory                ${memory}`);
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function untilItAnswers(child: ChildProcess, began: number): Promise<void> {
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`Cannot measure: the program ended with ${child.exitCode} before it listened`);
    if (performance.now() - began > GIVE_UP_MS) throw new Error(`Cannot measure: nothing listens on port ${PORT} after ${GIVE_UP_MS} ms`);
    await sleep(POLL_MS);
  }
}

function answers(): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(PORT, '127.0.0.1');
    const done = (connected: boolean) => () => {
      socket.destroy();
      settle(connected);
    };
    socket.once('connect', done(true)).once('error', done(false));
  });
}

/** idleMemory reads Linux's own count: RSS, and the part of it that no file backs. */
async function idleMemory(child: ChildProcess): Promise<string> {
  await sleep(IDLE_MS);
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const megabytes = (name: string) => (Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1]) / 1024).toFixed(1);
  return `${megabytes('VmRSS')} MB RSS, ${megabytes('RssAnon')} MB of it anonymous`;
}

await measure(resolve(process.argv[2] ?? join(import.meta.dirname, '../dist/midge-linux-x64')));
