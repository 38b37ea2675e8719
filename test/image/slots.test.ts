// An update with the real rauc in the booted image: what the card starts next, and what it goes back to.
//
// The stand-in for the firmware follows Raspberry Pi's rules: a partition that a reboot names is started once; otherwise the one in autoboot.txt.
// Where QEMU's board has no register for it, the console says which partition was meant.

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { makeSshKey, runBySsh } from '../support/network/ssh.ts';
import { Card, IMAGE, obstacle } from './card.ts';
import { BOOT_PATIENCE, type Machine, switchOn } from './machine.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = globSync('dist/midge-*-arm64.raucb', { cwd: ROOT }).map((file) => join(ROOT, file))[0] ?? null;
const LOGIN = { username: 'jane', password: 'correct horse battery' };
const SLOTS = '/usr/libexec/midge/slots';
/** Seconds that the broker must stay healthy, in place of five minutes. */
const kernelWords = 'systemd.setenv=MIDGE_SLOTS_HEALTHY=20';

const skip = obstacle() || (BUNDLE === null ? 'dist has no update, run make image with CERTIFICATE and BUNDLE_KEY' : false);

test('image installs an update into its other slot, tries it once, and keeps it when it is healthy', {
  skip,
  timeout: BOOT_PATIENCE * 4,
}, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  const key = makeSshKey(temporaryFolder(t));
  card.write('midge.txt', `account = ${LOGIN.username} ${LOGIN.password}\nssh_key = ${key.line}\n`);
  card.put(BUNDLE ?? '', 'update.raucb');
  const root = card.rootDigest();
  const shell = async (machine: Machine, line: string): Promise<string> => {
    const { status, stdout, stderr } = await runBySsh({ port: machine.ports.ssh, key, patience: BOOT_PATIENCE }, line);
    return `${stdout}${stderr}status=${status}`;
  };
  const first = await switchOn(t, card, { kernelWords });
  assert.match(await first.ready(), /is ready/);

  await t.test('image refuses a bundle that was cut off, with nothing changed', async () => {
    const said = await shell(
      first,
      'head -c 60000000 /boot/firmware/update.raucb >/var/tmp/cut.raucb && rauc install /var/tmp/cut.raucb; rm /var/tmp/cut.raucb',
    );
    assert.match(said, /invalid|signature|truncat/i);
    assert.equal(await shell(first, `${SLOTS} get-primary`), 'A\nstatus=0');
  });

  const client = await first.connect(LOGIN);
  await client.publishAsync('kept', 'before the update', { qos: 1, retain: true });
  await client.endAsync();
  const said = await shell(first, 'rauc install /boot/firmware/update.raucb');
  t.diagnostic(said.split('\n').slice(-3).join(' | '));
  assert.match(said, /status=0$/);
  assert.match(card.read('autoboot.txt') ?? '', /boot_partition=2\n/);
  await shell(first, `${SLOTS} try`);
  const line = await first.console.line(/starting partition (\d) once|Restarting system/, 0, BOOT_PATIENCE);
  t.diagnostic(line);
  await first.console.ended;

  card.once = 3;
  const second = await switchOn(t, card, { kernelWords });
  card.once = null;
  assert.match(await second.ready(), /is ready/);
  assert.match(await shell(second, `${SLOTS} get-current`), /^B\n/);
  const messages: string[] = [];
  const again = await second.connect(LOGIN, (_, payload) => messages.push(payload));
  await again.subscribeAsync('kept', { qos: 1 });
  await second.console.line(/marked slot|slot\(s\).*good/i, 0, BOOT_PATIENCE);
  assert.deepEqual(messages, ['before the update']);
  await again.endAsync();
  await second.cut();
  assert.match(card.read('autoboot.txt') ?? '', /boot_partition=3\n/);
  assert.equal(card.rootDigest(), root);
});
