// An update that the broker's user asks for, and root installs: whatever that user writes, only the newest signed release from updates_url is taken.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { UpdateAttempt } from '../../src/updates/update-record.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { missing } from '../support/process/foreign-program.ts';
import { makeKey, writeRelease } from '../updates/signed-release.ts';
import { obstacle, startDebian } from './debian.ts';
import { ofVersion, succeed, writePrograms } from './installation.ts';

const EXECUTABLE = join(import.meta.dirname, `../../dist/midge-linux-${process.arch}`);
const skip = obstacle(EXECUTABLE) || missing(['minisign'], 'minisign');
const [NEW, NEWER] = ['7.7.7', '7.7.8'] as const;
const REQUEST = '/var/lib/midge/update-request';
const SERVER = `listener 8099 127.0.0.1
protocol http_api
http_dir /srv/releases
allow_anonymous true
`;

test("update that the broker's user asks for is the newest signed release and nothing else, and tells how it ended", {
  skip,
}, async (context) => {
  const { root, run } = await startDebian(context, 'trixie');
  const { first, bad } = writePrograms(root, EXECUTABLE);
  const keys = temporaryFolder(context);
  const [mine, strangers] = [makeKey(keys, 'mine'), makeKey(keys, 'strangers')];
  const releases = join(root, 'srv/releases');
  mkdirSync(releases, { recursive: true });
  const release = (name: string, version: string, bytes: Buffer, key = mine) => {
    writeRelease(join(releases, name), version, bytes, key);
    chmodSync(join(releases, name, `midge-${version}-linux-${process.arch}`), 0o644);
  };
  const program = readFileSync(EXECUTABLE);
  release('good', NEW, ofVersion(program, NEW));
  release('fails', NEWER, ofVersion(readFileSync(join(root, bad)), NEWER));
  release('strangers', NEW, ofVersion(program, NEW), strangers);
  release('old', '0.0.1', program);
  writeFileSync(join(root, 'root/server.conf'), SERVER);
  await succeed(run('systemd-run', '--unit=releases', first, 'serve', '-c', '/root/server.conf', '--state', '/srv/state'));

  await succeed(run('sh', '-c', `echo secret | ${first} install --user jane --password-file -`));
  const before = await versionOf();
  mkdirSync(join(root, 'etc/midge-release-keys'));
  copyFileSync(mine.public, join(root, 'etc/midge-release-keys/mine.pub'));
  assert.equal((await run('systemctl', 'is-active', 'midge-upgrade.path')).stdout, 'active\n');

  assert.match((await ask()).reason ?? '', /"\/etc\/midge\/midge\.conf" has no updates_url/);
  await failed('strangers', /Cannot trust the release: manifest\.json: the signature is by key/);
  const old = await failed('old', /it is older than/);
  assert.deepEqual([old.from, old.to], [before, '0.0.1']);
  await failed('none', /the server answers 404/);
  const fell = await failed('fails', /the later midge has changed the database and fails[\s\S]*the old version is in place again/);
  assert.deepEqual([fell.from, fell.to], [before, NEWER]);
  const status = await run('midge', 'status');
  assert.equal(status.status, 1);
  assert.match(status.stdout, new RegExp(`! The update to ${NEWER.replaceAll('.', '\\.')} on .* was not done`));

  // systemd's door stands in for another upgrade that is at work; whoever knocks ends it.
  await succeed(run('systemd-run', '--unit=other', 'systemd-socket-activate', '-l', '/run/midge-upgrade.lock', '/bin/true'));
  await succeed(run('sh', '-c', 'until [ -S /run/midge-upgrade.lock ]; do sleep 0.1; done'));
  const kept = await lastText();
  await asBroker(`touch ${REQUEST}`);
  await succeed(run('sh', '-c', 'until [ -e /var/lib/midge-upgrade/refused.json ]; do sleep 0.1; done'));
  assert.match((await run('cat', '/var/lib/midge-upgrade/refused.json')).stdout, /another upgrade is at work on this machine/);
  assert.equal(await lastText(), kept, 'how the last one ended stays');

  // What the request is, says or leads to does not matter; what root alone may read is not read.
  await setUrl(null);
  writeFileSync(join(root, 'root/secret.conf'), 'updates_url http://127.0.0.1:8099/good/\n', { mode: 0o600 });
  await asBroker('printf "include /root/secret.conf\\n" > /var/lib/midge/more.conf');
  await succeed(run('sh', '-c', 'echo "include /var/lib/midge/more.conf" >> /etc/midge/midge.conf'));
  assert.match((await ask(`echo /srv/releases/good > ${REQUEST}`)).reason ?? '', /has no updates_url|Permission denied|EACCES/);
  const shadow = (await run('sha256sum', '/etc/shadow')).stdout;
  await ask(`ln -s /etc/shadow ${REQUEST}`);
  await ask(`mkdir ${REQUEST} && ln -s /etc ${REQUEST}/etc && echo --allow-downgrade > ${REQUEST}/x`);
  assert.equal((await run('sha256sum', '/etc/shadow')).stdout, shadow);
  assert.equal(await versionOf(), before);
  assert.match((await run('midge', 'upgrade', '--requested')).stderr, /only midge-upgrade\.service does/);
  assert.match((await run('midge', 'upgrade', '--requested', '/root')).stderr, /takes neither/);
  assert.equal((await run('midge', 'upgrade', '--requested', '--allow-downgrade')).status, 2);

  await succeed(run('sed', '-i', '/more.conf/d', '/etc/midge/midge.conf'));
  await setUrl('good');
  const done = await ask();
  assert.deepEqual([done.outcome, done.from, done.to, done.reason], ['installed', before, NEW, null]);
  assert.equal(await versionOf(), NEW);
  assert.equal((await run('systemctl', 'is-active', 'midge')).stdout, 'active\n');
  assert.equal((await ask()).outcome, 'unchanged');
  assert.match((await succeed(run('midge', 'status'))).stdout, /^Version {2,}from \d{4}-\d\d-\d\d/m);
  assert.match((await succeed(run('midge', 'upgrade'))).stdout, /is in place already/, 'a person needs to name nothing either');
  await succeed(run('systemctl', 'stop', 'releases.service')); // a broker that has become ready late runs as user midge
  await succeed(run('midge', 'uninstall', '--purge'));
  assert.equal((await run('find', '/etc/systemd/system', '/var/lib', '-name', 'midge*')).stdout, '', 'nothing is left of it');

  async function failed(name: string, reason: RegExp): Promise<UpdateAttempt> {
    await setUrl(name);
    const attempt = await ask();
    assert.equal(attempt.outcome, 'failed', name);
    assert.match(attempt.reason ?? '', reason);
    assert.equal(await versionOf(), before, name);
    return attempt;
  }

  async function setUrl(name: string | null): Promise<void> {
    const words = name === null ? ['unset', 'updates_url'] : ['set', 'updates_url', `http://127.0.0.1:8099/${name}/`];
    await succeed(run('midge', 'config', ...words));
  }

  /** Has the broker's user leave a request, and gives how the answer to it ended. */
  async function ask(command = `touch ${REQUEST}`): Promise<UpdateAttempt> {
    const last = await lastText();
    await asBroker(command);
    const deadline = Date.now() + 180_000;
    while ((await lastText()) === last || (await run('systemctl', 'is-active', 'midge-upgrade.service')).stdout.startsWith('activating')) {
      if (Date.now() > deadline)
        assert.fail((await run('journalctl', '-u', 'midge-upgrade.service', '-u', 'midge-upgrade.path', '--no-pager')).stdout);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.notEqual((await run('test', '-e', REQUEST)).status, 0, 'the request is answered once');
    return JSON.parse(await lastText()) as UpdateAttempt; // its file
  }

  async function asBroker(command: string): Promise<void> {
    await succeed(run('setpriv', '--reuid=midge', '--regid=midge', '--clear-groups', 'sh', '-c', command));
  }

  async function lastText(): Promise<string> {
    return (await run('cat', '/var/lib/midge-upgrade/last.json')).stdout;
  }

  async function versionOf(): Promise<string> {
    const { version } = JSON.parse((await run('midge', 'version', '--json')).stdout) as { version: string }; // what it prints
    return version;
  }
});
