// What an installation would do, for each kind of machine that it finds.

import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { execute, follow, type Stage } from '../../src/install/execute.ts';
import { installFiles } from '../../src/install/files.ts';
import { describeStep, type InstallWishes, type Machine, PLACES, planInstall, planUninstall } from '../../src/install/plan.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { BARE, INSTALLED } from './machines.ts';

const FILES = {
  configuration: 'allow_anonymous false\n',
  unit: '[Service]\n',
  upgradeService: '[Service]\nType=oneshot\n',
  upgradePath: '[Path]\n',
};
const ACCOUNT: InstallWishes = { account: { user: 'jane', line: 'jane:$argon2id$x' }, withMosquittoNames: false };
const NO_ACCOUNT: InstallWishes = { account: null, withMosquittoNames: false };

const OUTDATED: Machine = { ...INSTALLED, executable: 'other', unit: '[Service]\nold\n' };

/** ^C came while the new version was on probation. */
const INTERRUPTED: Machine = { ...INSTALLED, oldExecutable: 'way back', oldUnit: '[Service]\nold\n' };

/** The mark first: interrupted between the two, there is no way back without its service. */
const FORGET = ['rm -rf /usr/local/bin/midge.old', 'rm -rf /etc/systemd/system/midge.service.old'];

/** What an upgrade that was interrupted may have left. It is the program that runs while the installation goes back. */
const FETCHED = 'rm -rf /usr/local/bin/midge.download';

/** Before the first start: what the service's user may not read or write is told. */
const TRY =
  'systemd-run --quiet --wait --pipe --collect -p User=midge -p StateDirectory=midge -p StateDirectoryMode=0700 -p ProtectSystem=strict -p ReadWritePaths=-/etc/midge -p ProtectHome=yes -p PrivateTmp=yes -p AmbientCapabilities=CAP_NET_BIND_SERVICE /usr/local/bin/midge serve -c /etc/midge/midge.conf --test-config';

const words = (steps: readonly Parameters<typeof describeStep>[0][]) => steps.map(describeStep);

test('install plan makes everything on a bare machine', () => {
  const { steps, start, back } = planInstall(BARE, FILES, ACCOUNT);
  assert.deepEqual(words([...steps, ...start]), [
    "useradd --system --user-group --no-create-home --home-dir /var/lib/midge --shell /usr/sbin/nologin --comment 'MQTT broker' midge",
    'install -d -m 0755 -o midge -g midge /etc/midge',
    'install -d -m 0755 -o midge -g midge /etc/midge/conf.d',
    'install -d -m 0700 -o midge -g midge /var/lib/midge',
    'write the configuration to /etc/midge/midge.conf (mode 0644, owner midge)',
    'install -m 0755 /home/pi/midge /usr/local/bin/midge',
    'write the service to /etc/systemd/system/midge.service (mode 0644, owner root)',
    'write the service that installs updates to /etc/systemd/system/midge-upgrade.service (mode 0644, owner root)',
    'write what starts that when the broker asks to /etc/systemd/system/midge-upgrade.path (mode 0644, owner root)',
    'systemctl daemon-reload',
    'write user "jane" with the hash of the password to /var/lib/midge/passwd (mode 0600, owner midge)',
    TRY,
    'systemctl enable midge.service',
    'systemctl enable --now midge-upgrade.path',
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
  assert.deepEqual(words(done), FORGET);
  assert.deepEqual(words([...steps.slice(3), ...start]), [
    'write the service as it is to /etc/systemd/system/midge.service.old (mode 0644, owner root)',
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
    ...FORGET,
  ]);
});

test('install plan proves the new version of an interrupted upgrade, and still goes back to the one before', () => {
  const { steps, start, done, back } = planInstall(INTERRUPTED, FILES, NO_ACCOUNT);
  assert.equal(steps.length, 3, 'all is in place');
  assert.deepEqual(words(start), ['systemctl enable midge.service', 'systemctl restart --no-block midge.service']);
  assert.deepEqual(words(done), FORGET);
  assert.deepEqual(words(back), words(planInstall(OUTDATED, FILES, NO_ACCOUNT).back));
  assert.ok(
    back.some((step) => step.kind === 'write' && step.text === '[Service]\nold\n'),
    'with the service of the one before',
  );
});

test('install plan does not take a version in doubt for the way back when a third one is installed', () => {
  const { steps, back } = planInstall({ ...INTERRUPTED, executable: 'other', unit: '[Service]\nin doubt\n' }, FILES, NO_ACCOUNT);
  assert.deepEqual(words(steps.slice(3)), [
    'install -m 0755 /home/pi/midge /usr/local/bin/midge',
    'write the service to /etc/systemd/system/midge.service (mode 0644, owner root)',
    'systemctl daemon-reload',
  ]);
  assert.ok(back.some((step) => step.kind === 'write' && step.text === '[Service]\nold\n'));
});

test('install plan keeps the service of an upgrade that was interrupted before it came to the service', () => {
  const { steps, back } = planInstall({ ...INTERRUPTED, unit: '[Service]\nold\n', oldUnit: null }, FILES, NO_ACCOUNT);
  assert.equal(words(steps)[3], 'write the service as it is to /etc/systemd/system/midge.service.old (mode 0644, owner root)');
  assert.ok(back.some((step) => step.kind === 'write' && step.text === '[Service]\nold\n'));
});

test('install plan forgets the version before when the one in place has outlived its probation', () => {
  const outlived: Machine = { ...INTERRUPTED, oldExecutable: 'outlived' };
  const same = planInstall(outlived, FILES, NO_ACCOUNT);
  assert.deepEqual(words(same.start), ['systemctl enable midge.service'], 'nothing is restarted');
  assert.deepEqual(words(same.done), FORGET);
  const next = planInstall({ ...outlived, executable: 'other' }, FILES, NO_ACCOUNT);
  assert.deepEqual(words(next.steps).slice(3, 5), [
    'write the service as it is to /etc/systemd/system/midge.service.old (mode 0644, owner root)',
    'install -m 0755 /usr/local/bin/midge /usr/local/bin/midge.old',
  ]);
});

test('install plan starts a service that stands still', () => {
  const { start } = planInstall({ ...INSTALLED, isActive: false }, FILES, NO_ACCOUNT);
  assert.deepEqual(words(start), [TRY, 'systemctl enable midge.service', 'systemctl restart --no-block midge.service']);
});

test('install plan gives the broker what root has imported, and makes no account beside another configuration', () => {
  const imported: Machine = { ...BARE, configuration: 'other', hasRootsConfiguration: true, hasRootsState: true };
  const lines = words(planInstall(imported, FILES, ACCOUNT).steps);
  assert.equal(lines[1], 'chown -R --from=root midge:midge /etc/midge');
  assert.equal(lines[5], 'chown -R midge:midge /var/lib/midge');
  assert.ok(!lines.some((line) => line.startsWith('write user') || line.startsWith('write the configuration')), lines.join('\n'));
});

test('install plan gives the broker the configuration of an earlier version, but not the keys of releases', () => {
  const before: Machine = { ...OUTDATED, hasRootsConfiguration: true, hasOldReleaseKeys: true };
  assert.deepEqual(words(planInstall(before, FILES, NO_ACCOUNT).steps).slice(0, 2), [
    'mv -T /etc/midge/release-keys /etc/midge-release-keys',
    'chown -R --from=root midge:midge /etc/midge',
  ]);
  const now = words(planInstall({ ...OUTDATED, hasOldReleaseKeys: true }, FILES, NO_ACCOUNT).steps);
  assert.ok(!now.some((line) => /^(mv|chown)/.test(line)), "what lies in the user's folder is not root's to trust");
});

test('install plan gives the broker what root has restored, also where the program is in its place already', () => {
  const restored: Machine = { ...BARE, executable: 'same', configuration: 'own', passwords: 'has users', hasRootsState: true };
  const lines = words(planInstall(restored, FILES, NO_ACCOUNT).steps);
  assert.ok(lines.includes('chown -R midge:midge /var/lib/midge'), lines.join('\n'));
  assert.ok(!words(planInstall(INSTALLED, FILES, NO_ACCOUNT).steps).some((line) => line.startsWith('chown')));
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
    'systemctl disable --now midge-upgrade.path',
    'rm -rf /etc/systemd/system/midge-upgrade.path',
    'rm -rf /etc/systemd/system/midge-upgrade.service',
    'systemctl disable --now midge.service',
    'rm -rf /etc/systemd/system/midge.service',
    'systemctl daemon-reload',
    'rm -rf /usr/local/bin/mosquitto_sub',
    'rm -rf /usr/local/bin/midge',
    ...FORGET,
    FETCHED,
  ];
  assert.deepEqual(words(planUninstall(machine, { purge: false })), kept);
  assert.deepEqual(words(planUninstall(machine, { purge: true })), [
    ...kept,
    'rm -rf /var/lib/midge-upgrade',
    'rm -rf /etc/midge',
    'rm -rf /etc/midge-release-keys',
    'rm -rf /var/lib/midge',
    'userdel midge',
  ]);
  assert.deepEqual(words(planUninstall(BARE, { purge: false })), [...FORGET, FETCHED]);
});

test('execute puts files with mode and owner in place, links, and names the step that fails', (context) => {
  const { root, program, commands, owners, stage } = fakeMachine(context);
  const { steps, start } = planInstall({ ...BARE, program }, FILES, { ...ACCOUNT, withMosquittoNames: true });
  const said: string[] = [];
  execute([...steps, ...start], stage, (line) => said.push(line));
  assert.equal(said.length, steps.length + start.length);
  assert.equal(commands.length, 6);
  const at = (path: string) => join(root, path);
  assert.equal(readFileSync(at(PLACES.executable), 'utf8'), 'new');
  assert.equal(statSync(at(PLACES.executable)).mode & 0o777, 0o755);
  assert.equal(readFileSync(at(PLACES.passwords), 'utf8'), 'jane:$argon2id$x\n');
  assert.equal(statSync(at(PLACES.passwords)).mode & 0o777, 0o600);
  assert.equal(statSync(at(PLACES.state)).mode & 0o777, 0o700);
  assert.ok(lstatSync(at('/usr/local/bin/mosquitto_sub')).isSymbolicLink());
  assert.equal(readlinkSync(at('/usr/local/bin/mosquitto_sub')), PLACES.executable);
  assert.ok(owners.includes('/var/lib/midge/passwd.midge.new midge'), owners.join());

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

test('follow goes back to the version that was healthy last when an upgrade is interrupted and the next is bad', async (context) => {
  const { root, program, stage } = fakeMachine(context);
  const text = (path: string) => readFileSync(join(root, path), 'utf8');
  const isThere = (path: string) => existsSync(join(root, path));
  const upgrade = (version: string, machine: Machine, isHealthy: () => Promise<boolean>) => {
    writeFileSync(program, version);
    const plan = planInstall({ ...machine, program }, { ...FILES, unit: `[Service]\n${version}\n` }, NO_ACCOUNT);
    return follow(plan, { stage, say: () => {}, prepared: () => {}, isHealthy, unhealthy: () => {} });
  };
  assert.equal(await upgrade('first', BARE, async () => true), true);
  const interrupted = upgrade('second', { ...INSTALLED, executable: 'other', unit: text(PLACES.unit) }, () =>
    Promise.reject(new Error('^C')),
  );
  await assert.rejects(interrupted, /\^C/);
  assert.equal(text(PLACES.executable), 'second');
  const again: Machine = {
    ...INSTALLED,
    executable: 'other',
    oldExecutable: 'way back',
    unit: text(PLACES.unit),
    oldUnit: text(PLACES.oldUnit),
  };
  assert.equal(await upgrade('third', again, async () => false), false);
  assert.deepEqual([text(PLACES.executable), text(PLACES.unit)], ['first', '[Service]\nfirst\n']);
  assert.deepEqual([isThere(PLACES.oldExecutable), isThere(PLACES.oldUnit)], [false, false]);
});

test('follow tells that all is in place before it starts anything, and goes back when the start fails', async (context) => {
  const { program, stage } = fakeMachine(context);
  const events: string[] = [];
  const failing: Stage = {
    ...stage,
    run: ([name, verb]) => {
      events.push(`${name} ${verb}`);
      if (verb === 'restart') throw new Error('bad unit file');
    },
  };
  const said: string[] = [];
  const isHealthy = await follow(planInstall({ ...BARE, program, hasUser: true }, FILES, ACCOUNT), {
    stage: failing,
    say: (line) => said.push(line),
    prepared: () => events.push('prepared'),
    isHealthy: async () => assert.fail('it was not started'),
    unhealthy: (reason) => events.push(String(reason)),
  });
  assert.equal(isHealthy, false);
  assert.deepEqual(events, [
    'systemctl daemon-reload',
    'prepared',
    'systemd-run --quiet',
    'systemctl enable',
    'systemctl enable',
    'systemctl restart',
    'Cannot carry out "systemctl restart --no-block midge.service": bad unit file',
    'systemctl disable',
  ]);
});

test('install leaves out of the unit what this version of systemd does not know', () => {
  const [later, older] = [installFiles(254).unit, installFiles(252).unit];
  assert.match(later, /^RestartSteps=5\nRestartMaxDelaySec=60$/m);
  assert.equal(older, later.replace('RestartSteps=5\nRestartMaxDelaySec=60\n', ''));
});

test('install files are those of the checkout', () => {
  const { configuration, unit } = installFiles(null);
  assert.match(configuration, /^allow_anonymous false$/m);
  assert.match(unit, /^ExecStart=\/usr\/local\/bin\/midge serve -c \/etc\/midge\/midge.conf$/m);
});

/** A machine in a folder, with a program to install that says "new". */
function fakeMachine(context: TestContext) {
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
    asOwnerOf: (_folder, action) => action(false),
  };
  return { root, program, commands, owners, stage };
}
