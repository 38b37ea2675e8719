// A real installation on a Debian with systemd: install, use, upgrade, a bad upgrade that goes back by itself, uninstall.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { obstacle, startDebian } from './debian.ts';

const EXECUTABLE = join(import.meta.dirname, `../../dist/midge-linux-${process.arch}`);
const LOGIN = ['-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a'] as const;

/** variant puts a changed copy of the executable into the container. */
function variant(root: string, name: string, change: (bytes: Buffer) => Buffer): string {
  writeFileSync(join(root, 'root', name), change(readFileSync(EXECUTABLE)));
  chmodSync(join(root, 'root', name), 0o755);
  return `/root/${name}`;
}

test('midge installs itself, is upgraded, goes back from a bad upgrade, and goes', { skip: obstacle(EXECUTABLE) }, async (context) => {
  const { root, run } = await startDebian(context);
  const at = (path: string) => join(root, path);
  copyFileSync(EXECUTABLE, at('/root/midge'));

  const dry = run('/root/midge', 'install', '--dry-run');
  assert.equal(dry.status, 0, dry.stderr);
  assert.match(dry.stdout, /^useradd .* midge$/m);
  assert.ok(!existsSync(at('/etc/midge')), 'a dry run changes nothing');

  const first = run('/root/midge', 'install', '--user', 'jane:secret', '--with-mosquitto-names');
  assert.equal(first.status, 0, first.stdout + first.stderr);
  assert.match(first.stdout, /mqtt with TLS on port 8883: the users in \/var\/lib\/midge\/passwd/);
  assert.match(first.stdout, /^ {2}([0-9A-F]{2}:){31}[0-9A-F]{2}$/m);
  assert.ok(!`${first.stdout}${first.stderr}`.includes('secret'), 'a given password is not shown');
  assert.equal(run('systemctl', 'is-active', 'midge').stdout, 'active\n');
  assert.equal(run('systemctl', 'is-enabled', 'midge').stdout, 'enabled\n');
  assert.equal(statSync(at('/var/lib/midge')).mode & 0o777, 0o700);
  assert.match(run('ps', '-o', 'user=', '-C', 'midge').stdout || run('stat', '-c', '%U', '/var/lib/midge/control.sock').stdout, /^midge/);
  assert.equal(run('mosquitto_pub', ...LOGIN, '-m', 'b').status, 0);
  assert.notEqual(run('mosquitto_pub', '-h', '127.0.0.1', '-t', 'a', '-m', 'b').status, 0);
  const secure = ['-p', '8883', '--cafile', '/var/lib/midge/certificates/ca.crt', ...LOGIN, '-m', 'kept', '-q', '1', '-r'];
  assert.equal(run('mosquitto_pub', ...secure).status, 0);

  const pid = () => run('systemctl', 'show', '-p', 'MainPID', '--value', 'midge').stdout.trim();
  const before = pid();
  assert.equal(run('/root/midge', 'install').status, 0);
  assert.equal(pid(), before, 'the same version is not started anew');

  const better = variant(root, 'better', (bytes) => Buffer.concat([bytes, Buffer.from('\n')]));
  const upgrade = run(better, 'install');
  assert.equal(upgrade.status, 0, upgrade.stdout + upgrade.stderr);
  assert.notEqual(pid(), before);
  assert.ok(!existsSync(at('/usr/local/bin/midge.old')), 'the old version is gone');
  assert.equal(run('mosquitto_sub', ...LOGIN, '-C', '1', '-W', '5').stdout, 'kept\n');

  const serve = Buffer.from('ExecStart=/usr/local/bin/midge serve');
  const bad = variant(root, 'bad', (bytes) => {
    const place = bytes.indexOf(serve);
    assert.ok(place > 0, 'the unit stands in the executable');
    bytes.write('surve', place + serve.length - 'serve'.length);
    return bytes;
  });
  const failed = run(bad, 'install');
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /Unknown command 'surve'/);
  assert.match(failed.stderr, /what was there before is in place again$/m);
  assert.equal(run('systemctl', 'is-active', 'midge').stdout, 'active\n');
  assert.equal(run('cmp', better, '/usr/local/bin/midge').status, 0);
  assert.equal(run('mosquitto_sub', ...LOGIN, '-C', '1', '-W', '5').stdout, 'kept\n');

  assert.equal(run('midge', 'uninstall').status, 0);
  assert.notEqual(run('systemctl', 'is-active', 'midge').status, 0);
  assert.deepEqual(
    ['/usr/local/bin/midge', '/usr/local/bin/mosquitto_pub', '/var/lib/midge/midge.db', '/etc/midge/midge.conf'].map((path) =>
      existsSync(at(path)),
    ),
    [false, false, true, true],
  );
  assert.equal(run('/root/midge', 'install').status, 0);
  assert.equal(run('/usr/local/bin/midge', 'sub', ...LOGIN, '-C', '1', '-W', '5').stdout, 'kept\n', 'what was kept is there again');
  assert.equal(run('midge', 'uninstall', '--purge').status, 0);
  assert.ok(!existsSync(at('/var/lib/midge')) && !existsSync(at('/etc/midge')));
  assert.notEqual(run('id', 'midge').status, 0);
});
