// What lies on the appliance's disk is what the program and systemd accept.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { JOURNAL_SETTINGS } from '../src/boot/system-files.ts';
import { loadConfiguration } from '../src/config/config.ts';
import { INSTALL_SOURCES } from '../src/install/files.ts';
import { temporaryFolder } from './support/disk/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '..');
const UNIT = join(ROOT, INSTALL_SOURCES.unit);

/** load reads midge.conf as if /etc/midge and /var/lib/midge were in a folder of the test's own. */
function load(context: TestContext, change: (text: string) => string) {
  const folder = temporaryFolder(context);
  mkdirSync(join(folder, 'conf.d'));
  for (const name of ['passwd', 'acl']) writeFileSync(join(folder, name), '', { mode: 0o600 });
  const text = readFileSync(join(ROOT, INSTALL_SOURCES.configuration), 'utf8').replaceAll(/\/etc\/midge|\/var\/lib\/midge/g, folder);
  const file = join(folder, 'midge.conf');
  writeFileSync(file, change(text), { mode: 0o600 });
  return loadConfiguration({ file, port: null, verbose: false, lan: false });
}

test('midge.conf opens MQTT and WebSocket, each without and with TLS, and the page, for accounts only', (context) => {
  const { configuration, diagnostics } = load(context, (text) => text);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    configuration?.listeners.map(({ port, protocol, tls, policy }) => [port, protocol, tls !== null, policy.allowAnonymous]),
    [
      [1883, 'mqtt', false, false],
      [8883, 'mqtt', true, false],
      [9001, 'websockets', false, false],
      [8084, 'websockets', true, false],
      [443, 'http', true, false],
      [80, 'http', false, false],
    ],
  );
  assert.equal(configuration?.persistence.enabled, true);
});

test('midge.conf is accepted without a warning when every # before a setting is removed', (context) => {
  const { configuration, diagnostics } = load(context, (text) => text.replace(/^#(?=[a-z_]+ )/gm, ''));
  assert.deepEqual(diagnostics, []);
  assert.equal(configuration?.listeners.length, 6);
});

test('midge-boot.service waits for the whole data partition, and journald can be told to keep its log by a file of /run', () => {
  const unit = readFileSync(join(ROOT, 'rootfs/etc/systemd/system/midge-boot.service'), 'utf8');
  assert.match(unit, /^After=.*systemd-growfs@var\.service/m);
  const journal = readdirSync(join(ROOT, 'rootfs/etc/systemd/journald.conf.d'));
  assert.ok(
    journal.every((name) => name < basename(JOURNAL_SETTINGS)),
    'of drop-ins the last by name counts: journald.conf(5)',
  );
});

const SYSTEMD = Number(/^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
const skip = SYSTEMD >= 250 ? false : 'systemd-analyze 250 is not installed (Debian package systemd)';

test('midge.service is as safe as 2.0 by systemd-analyze security', { skip }, () => {
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=20', UNIT], {
    encoding: 'utf8',
  });
  const exposure = Number(/Overall exposure level for midge.service: ([\d.]+)/.exec(stdout)?.[1]);
  assert.ok(exposure <= 2, stdout);
});
