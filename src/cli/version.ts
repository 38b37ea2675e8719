// `midge version`: what this build is and what it runs on.

import type { Invocation } from '../terminal/command.ts';
import { stamp, versionLine } from './stamp.ts';

/** run prints one line per fact, or all as JSON. */
export async function run({ flags, terminal }: Invocation): Promise<number> {
  const { version, commit, date } = stamp();
  const { node, openssl } = process.versions;
  const platform = `${process.platform}-${process.arch}`;
  if (flags.has('json')) {
    terminal.stdout.write(`${JSON.stringify({ version, commit, date: date || null, node, openssl, platform })}\n`);
  } else {
    terminal.stdout.write(`midge ${versionLine()}\nnode ${node}, openssl ${openssl}, ${platform}\n`);
  }
  return 0;
}
