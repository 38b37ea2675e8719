// What an installation would do, for each kind of machine that it finds.

import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { execute, type Stage } from '../../src/install/execute.ts';
import { installFiles } from '../../src/install/files.ts';
import { describeStep, type InstallWishes, type Machine, PLACES, planInstall, planUninstall } from '../../src/install/plan.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FILES = { configuration: 'allow_anonymous false\n', unit: '[Service]\n' };
const ACCOUNT: InstallWishes = { account: { user: 'jane', line: 'jane:$argon2id$x' }, withMosquittoNames: false };
const NO_ACCOUNT: InstallWishes = { account: null, withMosquittoNames: false };

const BARE: Machine = {
  program: '/home/pi/midge',
  executable: 'absent',
  hasUser: false,
  configuration: 'absent',
  secretFiles: [],
  hasState: false,
  passwords: 'absent',
  unit: null,
  isActive: false,
  mosquittoRuns: false,
  freeNames: ['mosquitto_pub', 'mosquitto_sub'],
  linkedNames: [],
};

const INSTALLED: Machine = {
  ...BARE,
  executable: 'same',
  hasUser: true,
  configuration: 'own',
  passwords: 'has users',
  unit: FILES.unit,
  isActive: true,
};

const OUTDATED: Machine = { ...INSTALLED, executable: 'other', unit: '[Service]\nold\n' };

const words = (steps: readonly Parameters<typeof describeStep>[0][]) => steps.map(describeStep);

test('install plan makes everything on a bare machine', () => {
  const { steps, start, back } = planInstall(BARE, FILES, ACCOUNT);
  assert.deepEqual(words([...steps, ...start]), [
    "useradd --system --user-group --no-create-home --home-dir /var/lib/midge --shell /usr/sbin/nologin --comment 'MQTT broker' midge",
    'install -d -m 0755 -o root -g root /etc/midge',
    'install -d -m 0755 -o root -g root /etc/midge/conf.d',
    'install -d -m 0700 -o midge -g midge /var/lib/midge',
    'write the configuration to /etc/midge/midge.conf (mode 0644, owner root)',
    'write user "jane" with the hash of the password to /var/lib/midge/passwd (mode 0600, owner midge)',
    'install -m 0755 /home/pi/midge /usr/local/bin/midge',
    'write the service to /etc/systemd/system/midge.service (mode 0644, owner root)',
    'systemctl daemon-reload',
    'systemctl enable midge.service',
    'systemctl restart --no-block midge.service',
  ]);
  assert.deepEqual(words(back), ['systemctl disable --now midge.service']);
});

test('install plan changes nothing and restarts nothing when all is as it should be', () => {
  const { steps, start } = planInstall(INSTALLED, FILES, NO_ACCOUNT);
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['folder', 'folder', 'folder'],
  );
  assert.deepEqual(words(start), ['systemctl enable midge.service']);
});

test('install plan keeps the old version beside an upgrade, and goes back to it', () => {
  const { steps, start, done, back } = planInstall(OUTDATED, FILES, NO_ACCOUNT);
  assert.deepEqual(words(done), ['rm -rf /usr/local/bin/midge.old']);
  assert.deepEqual(words([...steps.slice(3), ...start]), [
    'install -m 0755 /usr/local/bin/midge /usr/local/bin/midge.old',
    'install -m 0755 /home/pi/midge /usr/local/bin/midge',
    'write the service to /etc/systemd/system/midge.service (mode 0644, owner root)',
    'systemctl daemon-reload',
    'systemctl enable midge.service',
    'systemctl restart --no-block midge.service',
  ]);
  assert.deepEqual(words(back), [
    'systemctl stop midge.service',
    'install -m 0755 /usr/local/bin/midge.old /usr/local/bin/midge',
    '/usr/local/bin/midge restore --before-upgrade -c /etc/midge/midge.conf',
    'write the service as it was to /etc/systemd/system/midge.service (mode 0644, owner root)',
    'systemctl daemon-reload',
    'systemctl restart midge.service',
  ]);
});

test('install plan starts a service that stands still', () => {
  assert.equal(planInstall({ ...INSTALLED, isActive: false }, FILES, NO_ACCOUNT).start.length, 2);
});

test('install plan gives the broker what root has imported, and makes no account beside another configuration', () => {
  const imported: Machine = { ...BARE, configuration: 'other', secretFiles: ['/etc/midge/passwd'], hasState: true };
  const lines = words(planInstall(imported, FILES, ACCOUNT).steps);
  assert.deepEqual(lines.slice(4, 7), [
    'chown -R midge:midge /var/lib/midge',
    'chgrp midge /etc/midge/passwd',
    'chmod g+r /etc/midge/passwd',
  ]);
  assert.ok(!lines.some((line) => line.startsWith('write user') || line.startsWith('write the configuration')), lines.join('\n'));
});

test('install plan never touches accounts that are there, and fills an empty password file', () => {
  const written = (machine: Machine, wishes: InstallWishes) =>
    planInstall(machine, FILES, wishes).steps.flatMap((step) => (step.kind === 'write' ? [step.path] : []));
  assert.deepEqual(written(INSTALLED, ACCOUNT), []);
  assert.deepEqual(written({ ...INSTALLED, passwords: 'empty' }, ACCOUNT), [PLACES.passwords]);
  assert.deepEqual(written({ ...INSTALLED, passwords: 'empty' }, NO_ACCOUNT), []);
});

test('install plan takes only names of mosquitto that nobody has, and only when asked', () => {
  const links = (withMosquittoNames: boolean) =>
    words(planInstall(INSTALLED, FILES, { account: null, withMosquittoNames }).steps.filter(({ kind }) => kind === 'link'));
  assert.deepEqual(links(false), []);
  assert.deepEqual(links(true), [
    'ln -s /usr/local/bin/midge /usr/local/bin/mosquitto_pub',
    'ln -s /usr/local/bin/midge /usr/local/bin/mosquitto_sub',
  ]);
});

test('uninstall plan keeps state and configuration unless they are to go too', () => {
  const machine = { ...INSTALLED, linkedNames: ['mosquitto_sub'] };
  const kept = [
    'systemctl disable --now midge.service',
    'rm -rf /etc/systemd/system/midge.service',
    'systemctl daemon-reload',
    'rm -rf /usr/local/bin/mosquitto_sub',
    'rm -rf /usr/local/bin/midge',
    'rm -rf /usr/local/bin/midge.old',
  ];
  assert.deepEqual(words(planUninstall(machine, { purge: false })), kept);
  assert.deepEqual(words(planUninstall(machine, { purge: true })), [
    ...kept,
    'rm -rf /etc/midge',
    'rm -rf /var/lib/midge',
    'userdel midge',
  ]);
  assert.deepEqual(words(planUninstall(BARE, { purge: false })), ['rm -rf /usr/local/bin/midge.old']);
});

test('execute puts files with mode and owner in place, links, and names the step that fails', (context) => {
  const root = temporaryFolder(context);
  const program = join(root, 'program');
  writeFileSync(program, 'new', { mode: 0o600 });
  for (const folder of ['usr/local/bin', 'etc/systemd/system', 'var/lib']) mkdirSync(join(root, folder), { recursive: true });
  const commands: string[] = [];
  const owners: string[] = [];
  const stage: Stage = {
    root,
    run: (command) => void commands.push(command.join(' ')),
    give: (path, owner) => void owners.push(`${path.slice(root.length)} ${owner}`),
  };
  const { steps, start } = planInstall({ ...BARE, program }, FILES, { ...ACCOUNT, withMosquittoNames: true });
  const said: string[] = [];
  execute([...steps, ...start], stage, (line) => said.push(line));
  assert.equal(said.length, steps.length + start.length);
  assert.equal(commands.length, 4);
  const at = (path: string) => join(root, path);
  assert.equal(readFileSync(at(PLACES.executable), 'utf8'), 'new');
  assert.equal(statSync(at(PLACES.executable)).mode & 0o777, 0o755);
  assert.equal(readFileSync(at(PLACES.passwords), 'utf8'), 'jane:$argon2id$x\n');
  assert.equal(statSync(at(PLACES.passwords)).mode & 0o777, 0o600);
  assert.equal(statSync(at(PLACES.state)).mode & 0o777, 0o700);
  assert.ok(lstatSync(at('/usr/local/bin/mosquitto_sub')).isSymbolicLink());
  assert.equal(readlinkSync(at('/usr/local/bin/mosquitto_sub')), PLACES.executable);
  assert.ok(owners.includes('/var/lib/midge/passwd.new midge'), owners.join());

  writeFileSync(program, 'newer');
  const upgrade = planInstall({ ...OUTDATED, program }, FILES, NO_ACCOUNT);
  execute(upgrade.steps, stage, () => {});
  assert.equal(readFileSync(at(PLACES.executable), 'utf8'), 'newer');
  execute(upgrade.back, stage, () => {});
  assert.equal(readFileSync(at(PLACES.executable), 'utf8'), 'new');
  execute(planUninstall({ ...INSTALLED, linkedNames: ['mosquitto_sub'] }, { purge: true }), stage, () => {});
  assert.throws(() => statSync(at(PLACES.state)), /ENOENT/);
  const failing = { ...stage, run: () => assert.fail('no such user') };
  assert.throws(
    () => execute(upgrade.start, failing, () => {}),
    /^OperatorError: Cannot carry out "systemctl enable midge.service": no such user$/,
  );
});

test('install files are those of the checkout', () => {
  const { configuration, unit } = installFiles();
  assert.match(configuration, /^allow_anonymous false$/m);
  assert.match(unit, /^ExecStart=\/usr\/local\/bin\/midge serve -c \/etc\/midge\/midge.conf$/m);
});
