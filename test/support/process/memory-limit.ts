// A limit of memory around a program, as a service has it: a control group of the test's own. Past it the kernel kills the program.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const ROOT = '/sys/fs/cgroup';

/** MemoryLimit is a control group; what `words` starts lives in it, with all that it starts. */
export interface MemoryLimit {
  /** words gives the command that runs other words inside the limit. */
  words(command: string, words: readonly string[]): [string, string[]];
  /** peak is the most that was in use at one time, in bytes, kernel memory of sockets not counted where the kernel counts it apart. */
  peak(): number;
}

/** memoryLimitObstacle says why no limit can be made here, or false. */
export function memoryLimitObstacle(): string | false {
  if (process.getuid?.() !== 0) return 'only root may make a control group';
  return version() === null ? `${ROOT} has no memory controller` : false;
}

/** limitMemory makes a limit of `bytes`; it goes with the test, after the programs in it. */
export function limitMemory(test: TestContext, bytes: number): MemoryLimit {
  const files = version() === 2 ? VERSION_2 : VERSION_1;
  const folder = join(files.folder, `midge-test-${process.pid}-${Math.floor(performance.now() * 1000)}`);
  mkdirSync(folder);
  for (const file of files.limits) if (existsSync(join(folder, file))) writeFileSync(join(folder, file), String(bytes));
  test.after(() => removeGroup(folder));
  return {
    words: (command, words) => ['/bin/sh', ['-c', `echo $$ > ${folder}/cgroup.procs && exec "$0" "$@"`, command, ...words]],
    peak: () => Number(readFileSync(join(folder, files.peak), 'utf8')),
  };
}

const VERSION_1 = {
  folder: join(ROOT, 'memory'),
  limits: ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'],
  peak: 'memory.max_usage_in_bytes',
};
const VERSION_2 = { folder: ROOT, limits: ['memory.max', 'memory.swap.max'], peak: 'memory.peak' };

function version(): 1 | 2 | null {
  if (existsSync(join(ROOT, 'memory/memory.limit_in_bytes'))) return 1;
  const controllers = join(ROOT, 'cgroup.subtree_control');
  return existsSync(controllers) && readFileSync(controllers, 'utf8').includes('memory') ? 2 : null;
}

async function removeGroup(folder: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return rmdirSync(folder);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50)); // the killed program is still being taken down
    }
  }
}
