// Moving in beside Debian's mosquitto and from openHAB, and moving house, with the commands of docs/moving.md.

import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Outcome } from '../support/process/outcome.ts';
import { type Debian, obstacle, RELEASES, startDebian } from './debian.ts';
import { commandsOf } from './page.ts';

const EXECUTABLE = join(import.meta.dirname, `../../dist/midge-linux-${process.arch}`);
const skip = obstacle(EXECUTABLE);

/** As users write it beside the file of Debian's package, which has pid_file, log_dest file and include_dir. */
const LOCAL = `listener 1883
listener 1884
allow_anonymous false
password_file /etc/mosquitto/passwd
acl_file /etc/mosquitto/acl
`;

const RULES = `user jane
topic readwrite home/#

user boss
topic readwrite #
`;

const JANE = '-h 127.0.0.1 -u jane -P secret';
const BOSS = '-h 127.0.0.1 -p 1884 -u boss -P secret2';

for (const release of RELEASES) {
  test(`midge moves in beside mosquitto of Debian ${release} with the commands of the page, loses nothing, and goes again`, {
    skip,
  }, async (context) => {
    const debian = await startDebian(context, release, 'mosquitto');
    copyFileSync(EXECUTABLE, join(debian.root, 'root/midge'));
    const sh = shellOf(debian);
    await liveWithMosquitto(debian, sh);
    const offer = await sh('./midge install');
    assert.equal(offer.status, 1);
    for (const command of commandsOf('From mosquitto'))
      assert.ok(offer.stdout.includes(command.replace('./midge', '/root/midge')), command);
    await moveIn(sh);
    await isUnchanged(sh);
    await goBack(sh);
    await isToldTheWayBack(debian, sh);
  });

  test(`midge takes openHAB's broker over, and moves to a new machine, with the commands of the page on Debian ${release}`, {
    skip,
  }, async (context) => {
    const [old, fresh] = [await startDebian(context, release), await startDebian(context, release)];
    for (const { root } of [old, fresh]) copyFileSync(EXECUTABLE, join(root, 'root/midge'));
    const [sh, shOfFresh] = [shellOf(old), shellOf(fresh)];
    await fromOpenhab(old, sh);
    await succeed(sh('midge uninstall --purge'));
    await moveHouse([old, sh], [fresh, shOfFresh]);
    await goBackInTime(sh);
    await restoreWhereItIsInstalled(sh, [fresh, shOfFresh]);
  });
}

type Shell = (command: string) => Promise<Outcome>;

function shellOf({ run }: Debian): Shell {
  return (command) => run('sh', '-c', `cd /root && ${command}`);
}

async function liveWithMosquitto({ root }: Debian, sh: Shell): Promise<void> {
  writeFileSync(join(root, 'etc/mosquitto/conf.d/local.conf'), LOCAL);
  writeFileSync(join(root, 'etc/mosquitto/acl'), RULES);
  await succeed(sh('mosquitto_passwd -b -c /etc/mosquitto/passwd jane secret && mosquitto_passwd -b /etc/mosquitto/passwd boss secret2'));
  await succeed(sh('chown mosquitto /etc/mosquitto/passwd /etc/mosquitto/acl && chmod 0600 /etc/mosquitto/passwd /etc/mosquitto/acl'));
  await succeed(sh('systemctl restart mosquitto'));
  await succeed(sh(`mosquitto_sub ${JANE} -i phone -c -q 1 -t home/door -E`));
  for (const message of ['first', 'second']) await succeed(sh(`mosquitto_pub ${BOSS} -q 1 -t home/door -m ${message}`));
  await succeed(sh(`mosquitto_pub ${BOSS} -q 1 -r -t home/lamp -m on`));
  await succeed(sh(`mosquitto_pub ${BOSS} -q 1 -r -t other/secret -m hidden`));
}

async function moveIn(sh: Shell): Promise<void> {
  const said: string[] = [];
  for (const command of commandsOf('From mosquitto')) said.push((await succeed(sh(command))).stdout);
  const report = said.join('');
  assert.match(report, /^left out +\/etc\/mosquitto\/mosquitto\.conf:\d+: persistence_location /m);
  assert.match(report, /^changed +\/etc\/mosquitto\/mosquitto\.conf:\d+: log_dest file .*; written: log_dest stderr$/m);
  assert.equal((await sh('systemctl is-active midge')).stdout, 'active\n');
  assert.equal((await sh('stat -c "%a %U %G" /etc/midge/conf.d/01-local.conf /etc/midge/passwd')).stdout, '600 midge midge\n'.repeat(2));
}

async function isUnchanged(sh: Shell): Promise<void> {
  assert.equal((await succeed(sh(`mosquitto_sub ${JANE} -i phone -c -q 1 -t home/door -C 2 -W 60`))).stdout, 'first\nsecond\n');
  assert.equal((await succeed(sh(`mosquitto_sub ${JANE} -t 'home/#' -C 1 -W 60 -v`))).stdout, 'home/lamp on\n');
  assert.equal((await succeed(sh(`mosquitto_sub ${BOSS} -t other/secret -C 1 -W 60`))).stdout, 'hidden\n');
  assert.equal((await sh(`mosquitto_sub ${JANE} -t '#' -W 3 --retained-only -v`)).stdout, 'home/lamp on\n', 'the rules hold');
  for (const login of ['-u jane -P wrong', '']) assert.notEqual((await sh(`mosquitto_pub ${login} -t home/lamp -m off -q 1`)).status, 0);
}

async function goBack(sh: Shell): Promise<void> {
  let said = '';
  for (const command of commandsOf('Back to mosquitto')) said += (await succeed(sh(command))).stdout;
  assert.match(said, /^mosquitto is here and does not run\. To have it back: sudo systemctl enable --now mosquitto$/m);
  assert.equal((await sh('systemctl is-enabled mosquitto')).stdout, 'enabled\n');
  assert.equal((await succeed(sh(`mosquitto_sub ${JANE} -i phone -c -q 1 -t home/door -C 2 -W 60`))).stdout, 'first\nsecond\n');
  assert.equal((await succeed(sh(`mosquitto_sub ${JANE} -t 'home/#' -C 1 -W 60 -v`))).stdout, 'home/lamp on\n');
  await succeed(sh('./midge uninstall --purge'));
}

/** A socket where only mosquitto may make one. */
async function isToldTheWayBack({ root }: Debian, sh: Shell): Promise<void> {
  appendFileSync(join(root, 'etc/mosquitto/conf.d/local.conf'), 'listener 0 /run/mosquitto/mosquitto.sock\n');
  const commands = commandsOf('From mosquitto');
  for (const command of commands.slice(0, -1)) await succeed(sh(command));
  const { status, stdout, stderr } = await sh(commands.at(-1) ?? '');
  assert.equal(status, 1, stdout);
  assert.match(stderr, /\/etc\/midge\/conf\.d\/01-local\.conf:6:1: error: Cannot write socket "\/run\/mosquitto\/mosquitto\.sock"/);
  assert.match(stderr, /^mosquitto is here and does not run\. To have it back: sudo systemctl enable --now mosquitto$/m);
  assert.equal((await sh('systemctl is-enabled midge')).stdout, 'disabled\n');
  const again = await sh(commands.at(-2) ?? '');
  assert.match(again.stderr, /it exists already.*\nmosquitto is here and does not run\./);
  await succeed(sh('systemctl enable --now mosquitto'));
}

async function fromOpenhab({ root }: Debian, sh: Shell): Promise<void> {
  mkdirSync(join(root, 'etc/openhab2/services'), { recursive: true });
  const settings = 'org.openhab.core.mqttembeddedbroker:port=1885\nusername=jane\npassword=secret\n';
  writeFileSync(join(root, 'etc/openhab2/services/mqttembeddedbroker.cfg'), settings);
  for (const command of commandsOf('From openHAB')) await succeed(sh(command));
  await succeed(sh(`midge pub ${JANE} -p 1885 -q 1 -t a -m b`));
  assert.notEqual((await sh('midge pub -p 1885 -h 127.0.0.1 -q 1 -t a -m b')).status, 0);
}

async function moveHouse([old, sh]: [Debian, Shell], [fresh, shOfFresh]: [Debian, Shell]): Promise<void> {
  await succeed(sh('echo secret | ./midge install --user jane --password-file -'));
  await succeed(sh(`midge pub ${JANE} -q 1 -r -t home/lamp -m on`));
  const [backup = '', ...restore] = [...commandsOf('To a new card or machine')];
  await succeed(sh(backup));
  renameSync(join(old.root, 'root/midge-backup.tar.gz'), join(fresh.root, 'root/midge-backup.tar.gz'));
  for (const command of restore) await succeed(shOfFresh(command));
  assert.equal((await succeed(shOfFresh(`midge sub ${JANE} -t home/lamp -C 1 -W 60`))).stdout, 'on\n');
  const authority = 'cat /var/lib/midge/certificates/ca.crt';
  assert.equal((await succeed(shOfFresh(authority))).stdout, (await succeed(sh(authority))).stdout);
  assert.equal((await shOfFresh('find /var/lib/midge ! -user midge')).stdout, '');
}

/** The broker of the backup, on its own machine: what was published since goes, certificates and owners stay. */
async function goBackInTime(sh: Shell): Promise<void> {
  const before = await traitsOf(sh);
  await succeed(sh(`midge backup -c /etc/midge/midge.conf then.tar.gz && midge pub ${JANE} -q 1 -r -t home/lamp -m off`));
  assert.notEqual((await sh('midge restore then.tar.gz')).status, 0, 'it runs');
  await succeed(sh('systemctl stop midge && midge restore --yes then.tar.gz && systemctl start midge'));
  assert.equal((await succeed(sh(`midge sub ${JANE} -t home/lamp -C 1 -W 60`))).stdout, 'on\n');
  assert.equal(await traitsOf(sh), before);
}

/** A backup of a broker that does not run, onto a machine where another midge is a service already. */
async function restoreWhereItIsInstalled(sh: Shell, [{ root }, shOfFresh]: [Debian, Shell]): Promise<void> {
  const wanted = await traitsOf(sh);
  await succeed(sh('systemctl stop midge && midge backup -c /etc/midge/midge.conf stopped.tar.gz'));
  const backup = (await succeed(sh('base64 -w 0 stopped.tar.gz'))).stdout;
  await succeed(shOfFresh('midge uninstall --purge && ./midge install'));
  assert.notEqual(await traitsOf(shOfFresh), wanted, 'a machine of its own');
  writeFileSync(join(root, 'root/stopped.tar.gz'), Buffer.from(backup, 'base64'));
  await succeed(shOfFresh('systemctl stop midge && midge restore --yes stopped.tar.gz && systemctl start midge'));
  assert.equal((await succeed(shOfFresh(`midge sub ${JANE} -t home/lamp -C 1 -W 60`))).stdout, 'on\n');
  assert.equal(await traitsOf(shOfFresh), wanted);
  await succeed(shOfFresh('./midge install'));
  assert.equal(await traitsOf(shOfFresh), wanted, 'an installation afterwards changes nothing');
  const changed = await succeed(shOfFresh('midge passwd -b /var/lib/midge/passwd jane another'));
  assert.match(changed.stdout, /^The running broker has read it\.$/m);
  assert.notEqual((await shOfFresh(`midge pub ${JANE} -q 1 -t a -m b`)).status, 0, 'the old password ends at once');
}

/** What clients and the service depend on: certificates, accounts, whose everything is, and who may read the configuration. */
async function traitsOf(sh: Shell): Promise<string> {
  const files = await succeed(sh('cd /var/lib/midge && sha256sum certificates/ca.crt certificates/ca.key passwd'));
  const owners = await succeed(
    sh(
      'find /var/lib/midge ! -user midge -o ! -group midge; stat -c "%a %U %G %n" /var/lib/midge /var/lib/midge/passwd /var/lib/midge/midge.db',
    ),
  );
  const configuration = await succeed(sh('cd /etc/midge && sha256sum midge.conf && stat -c "%a %U %G %n" . midge.conf conf.d'));
  return [files, owners, configuration].map(({ stdout }) => stdout).join('');
}

async function succeed(outcome: Promise<Outcome>): Promise<Outcome> {
  const { status, stdout, stderr } = await outcome;
  assert.equal(status, 0, stdout + stderr);
  return { status, stdout, stderr };
}
