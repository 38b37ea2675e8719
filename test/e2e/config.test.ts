// Settings changed by `midge config` in the file of a running broker.

import assert from 'node:assert/strict';
import { chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const TEXT =
  '# the house\npersistence true\nbind_address 127.0.0.1\nallow_anonymous true\nmax_connections 100\npassword secret\nusername jane\n';

test('config leaves a file alone in which a change over REST waits to be confirmed: a restart would take both back', async (t) => {
  const folder = temporaryFolder(t);
  const conf = join(folder, 'midge.conf');
  writeFileSync(conf, TEXT);
  writeFileSync(`${conf}.unconfirmed`, TEXT.replace('100', '9'));
  const set = await runMidge(folder, ['config', '-c', conf, 'set', 'max_connections', '7']);
  assert.equal(set.status, 1);
  assert.match(set.stderr, /a change over REST waits there to be confirmed/);
  assert.equal(readFileSync(conf, 'utf8'), TEXT);
});

test('config changes what a running broker does, and takes back what it cannot do', async (t) => {
  const folder = temporaryFolder(t);
  const conf = join(folder, 'midge.conf');
  writeFileSync(conf, TEXT, { mode: 0o640 });
  const broker = startMidge(t, folder, ['serve', '-c', conf, '-p', '0']);
  await openPort(broker);
  const config = (...words: string[]) => runMidge(folder, ['config', '-c', conf, ...words]);

  const set = await config('set', 'max_connections', '7');
  assert.deepEqual([set.status, set.stderr], [0, '']);
  assert.equal(set.stdout, `changed  ${conf}\nThe running broker has read it.\n`);
  assert.equal(readFileSync(conf, 'utf8'), TEXT.replace('100', '7'));
  assert.equal(statSync(conf).mode & 0o777, 0o640);

  const bad = await config('set', 'bind_address', '192.0.2.1');
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /is changed, but not in force: .*192\.0\.2\.1[\s\S]*midge has taken the change back\.\n$/);
  assert.equal(readFileSync(conf, 'utf8'), TEXT.replace('100', '7'));

  const later = await config('set', 'mdns_name', 'Attic');
  assert.equal(later.status, 0);
  assert.match(later.stdout, /The running broker has read it\. A change of mdns_name takes effect at its next start\.\n$/);
  await config('unset', 'mdns_name');

  const wrong = await config('set', 'max_connections', 'many');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /midge\.conf:5:17: error: [\s\S]*nothing was changed/);
  assert.equal(readFileSync(conf, 'utf8'), TEXT.replace('100', '7'));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('midge.conf')),
    ['midge.conf'],
    'nothing lies beside it',
  );

  assert.equal((await config('get', 'max_connections')).stdout, '7\n');
  assert.equal((await config('--origin', 'get', 'max_connections')).stdout, `${conf}:5\t7\n`);
  assert.equal((await config('--origin', 'get', 'sys_interval')).stdout, 'default\t10\n');
  const shown = await config('--origin', 'show');
  assert.match(shown.stdout, /midge\.conf:5\tmax_connections 7\n.*midge\.conf:6\tpassword \(hidden\)\n/);
  assert.ok(!shown.stdout.includes('secret'));
  assert.equal((await config('unset', 'max_connections')).status, 0);
  assert.equal(readFileSync(conf, 'utf8'), TEXT.replace('max_connections 100\n', ''));
  assert.match((await config('unset', 'max_connections')).stdout, /is not set: nothing was changed/);
});

test('config leaves files alone that it cannot keep for their owner, and those beside them', {
  skip: process.geteuid?.() !== 0 && 'only root may try',
}, async (t) => {
  const folder = temporaryFolder(t);
  const conf = join(folder, 'midge.conf');
  writeFileSync(conf, 'sys_interval 1\n', { mode: 0o640 });
  writeFileSync(`${conf}.new`, 'mine');
  chownSync(folder, 12345, 12345);
  const refused = await runMidge(folder, ['config', '-c', conf, 'set', 'sys_interval', '2']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /permission denied, .* - root does this as user 12345, to whom .* or its folder belongs/);
  assert.equal(readFileSync(conf, 'utf8'), 'sys_interval 1\n');
  chownSync(folder, 0, 0);
  chownSync(conf, 12345, 12345);
  assert.match((await runMidge(folder, ['config', '-c', conf, 'set', 'sys_interval', '2'])).stderr, /permission denied, .* as user 12345/);
  chownSync(folder, 12345, 12345);
  assert.equal((await runMidge(folder, ['config', '-c', conf, 'set', 'sys_interval', '2'])).status, 0);
  assert.equal(readFileSync(conf, 'utf8'), 'sys_interval 2\n');
  const { uid, gid, mode } = statSync(conf);
  assert.deepEqual([uid, gid, mode & 0o777], [12345, 12345, 0o640]);
  assert.equal(readFileSync(`${conf}.new`, 'utf8'), 'mine');
});
