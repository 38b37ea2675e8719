// Commands on a machine that is reached by SSH, with a key made for the test.

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../process/outcome.ts';

/** What ssh(1) gives when it reached nobody. */
const NOT_REACHED = 255;
const RETRY_MS = 1000;
const LARGEST_OUTPUT = 2 ** 24;

/** SshKey is a pair of keys in files. */
export interface SshKey {
  readonly file: string;
  /** The line for authorized_keys. */
  readonly line: string;
}

/** makeSshKey makes a key in `folder`. */
export function makeSshKey(folder: string): SshKey {
  const file = join(folder, 'id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
  return { file, line: readFileSync(`${file}.pub`, 'utf8').trim() };
}

/** SshPlace is root's shell behind a forwarded port. */
export interface SshPlace {
  readonly port: number;
  readonly key: SshKey;
  /** Milliseconds until somebody answers. */
  readonly patience: number;
}

/** runBySsh runs a line of sh to its end, as soon as somebody answers. */
export async function runBySsh({ port, key, patience }: SshPlace, line: string): Promise<Outcome> {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=60'];
  const words = ['-F', 'none', '-i', key.file, '-p', String(port), ...options.flatMap((option) => ['-o', option]), 'root@127.0.0.1', line];
  const deadline = Date.now() + patience;
  for (;;) {
    const outcome = await runSsh(words);
    if (outcome.status !== NOT_REACHED || Date.now() > deadline) return outcome;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function runSsh(words: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('ssh', words, { maxBuffer: LARGEST_OUTPUT }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? NOT_REACHED), stdout, stderr });
    });
  });
}
