// Archives whose bytes depend on the files alone: sorted, of one owner and one time.

import { execFileSync } from 'node:child_process';

/** TarOptions: seconds since 1970, and the user and group who owns every file. */
export interface TarOptions {
  readonly seconds: number;
  readonly owner: number;
}

/** tarOf gives the archive of a path below a folder. */
export function tarOf(folder: string, path: string, { seconds, owner }: TarOptions): Buffer {
  const same = ['--sort=name', `--mtime=@${seconds}`, `--owner=${owner}`, `--group=${owner}`, '--numeric-owner', '--format=gnu'];
  return execFileSync('tar', [...same, '-C', folder, '-c', path], { maxBuffer: 2 ** 30 });
}
