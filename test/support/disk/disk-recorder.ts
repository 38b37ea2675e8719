// Runs a program with every write to a folder recorded, or failing when asked to.

import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** NO_COMPILER is why a test with a recorder is skipped, or false. */
export const NO_COMPILER: string | false =
  process.platform !== 'linux'
    ? 'LD_PRELOAD is of Linux'
    : spawnSync('gcc', ['--version']).error === undefined
      ? false
      : 'gcc is not installed (Debian packages gcc and libc6-dev)';

/** buildRecorder compiles the recorder into `folder` and gives the environment that a program needs to be recorded in `site`. */
export function buildRecorder(folder: string, site: string): { env: Record<string, string>; log: string; errno: string } {
  const library = join(folder, 'disk-recorder.so');
  const source = join(import.meta.dirname, 'disk-recorder.c');
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread']);
  const [log, errno] = [join(folder, 'recording'), join(folder, 'errno')];
  const env = { LD_PRELOAD: library, DISK_RECORDER_FOLDER: site, DISK_RECORDER_LOG: log, DISK_RECORDER_ERRNO: errno };
  return { env, log, errno };
}
