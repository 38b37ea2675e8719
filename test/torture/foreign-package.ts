// The Debian package for arm64 on a machine of another architecture, under emulation.

import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Foreign, foreignObstacle, obstacle, type Release, unpackForeign } from '../machine/debian.ts';
import { apt, executableFor, LOGIN, NEW, nameOf, nothingIsLeft, OLD, packages } from '../machine/debian-package.ts';
import { succeed } from '../machine/installation.ts';
import type { Outcome } from '../support/process/outcome.ts';

/** foreignPackageObstacle is the reason to skip a test, or false. */
export const foreignPackageObstacle = obstacle(executableFor('arm64')) || foreignObstacle();

/** useForeignPackage installs, upgrades, removes and purges it. */
export async function useForeignPackage(context: TestContext, release: Release): Promise<void> {
  const { root, run } = unpackForeign(context, release);
  const folder = packages('arm64');
  for (const version of [OLD, NEW]) copyFileSync(join(folder, nameOf(version, 'arm64')), join(root, 'root', nameOf(version, 'arm64')));
  await apt(run, 'install', `/root/${nameOf(OLD, 'arm64')}`);
  await succeed(run('test', '-L', '/etc/systemd/system/multi-user.target.wants/midge.service'));
  assert.equal((await run('stat', '-c', '%a %U', '/var/lib/midge', '/var/lib/midge/passwd')).stdout, '700 midge\n600 midge\n');
  await succeed(run('sh', '-c', "printf 'secret\\nsecret\\n' | midge passwd /var/lib/midge/passwd jane"));
  await whileServing(run, `midge pub ${LOGIN.join(' ')} -m kept -q 1 -r`);
  appendFileSync(join(root, 'etc/midge/midge.conf'), '# mine\n');
  await apt(run, 'install', `/root/${nameOf(NEW, 'arm64')}`);
  assert.match(readFileSync(join(root, 'etc/midge/midge.conf'), 'utf8'), /^# mine$/m, 'what the owner has written stays');
  const receiving = `midge sub ${LOGIN.join(' ')} -C 1 -W 300`;
  assert.match((await whileServing(run, receiving)).stdout, /^kept$/m);
  await apt(run, 'remove', 'midge');
  for (const path of ['/etc/midge/midge.conf', '/var/lib/midge/midge.db']) await succeed(run('test', '-e', path));
  await apt(run, 'purge', 'midge');
  await nothingIsLeft(run);
}

/** Runs a line of the shell while the broker runs as its user, and midge status says so. */
function whileServing(run: Foreign['run'], line: string): Promise<Outcome> {
  const user = 'setpriv --reuid midge --regid midge --init-groups'; // not runuser: that stays between, and ends by the signal itself
  const serve = `${user} midge serve -c /etc/midge/midge.conf --state /var/lib/midge >/root/log 2>&1`;
  const wait = 'until grep -q "midge version .* running" /root/log; do kill -0 $broker || { cat /root/log; exit 1; }; sleep 1; done';
  return succeed(
    run('sh', '-ec', `${serve} & broker=$!; ${wait}; midge status | grep 'midge version'; ${line}; kill $broker; wait $broker`),
  );
}
