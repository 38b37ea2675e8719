// The machine that a report was made on.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { compilerVersion } from './generator.ts';

const OPEN_FILES = 65_536;

/** describeMachine gives the lines of the report's header: what a rate depends on. */
export function describeMachine(): string[] {
  const processors = cpus();
  return [
    `${processors.length} x ${processors[0]?.model ?? 'unknown processor'} (${arch()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `load average at the start ${(loadavg()[0] ?? 0).toFixed(2)}; C compiler: ${compilerVersion() ?? 'none'}`,
  ];
}

/** commit is the short hash of the checkout with "+" when it has changes, or null outside a checkout. */
export function commit(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty=+'], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** raiseFileLimit asks for as many open files as 30,000 connections need, for this process and those that it starts. Without the right to do so, nothing changes. */
export function raiseFileLimit(): void {
  spawnSync('prlimit', ['--pid', String(process.pid), `--nofile=${OPEN_FILES}:${OPEN_FILES}`], { stdio: 'ignore' });
}

/** residentBytes is the memory of a process that is in RAM now (VmRSS, proc_pid_status(5)). */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

/** processorSeconds is the CPU time that a process has used, all threads (proc_pid_stat(5), fields 14 and 15, in ticks of 10 ms). */
export function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
