// A real installation on each Debian that has a systemd to install on, in a container.

import { join } from 'node:path';
import { test } from 'node:test';
import { obstacle, RELEASES, startDebian } from './debian.ts';
import { liveThrough, writePrograms } from './installation.ts';

const EXECUTABLE = join(import.meta.dirname, `../../dist/midge-linux-${process.arch}`);
const skip = obstacle(EXECUTABLE);

for (const release of RELEASES) {
  test(`midge installs itself, is upgraded, goes back from a bad upgrade, and goes when it is on Debian ${release}`, {
    skip,
  }, async (context) => {
    const { root, run } = await startDebian(context, release);
    await liveThrough(run, writePrograms(root, EXECUTABLE));
  });
}
