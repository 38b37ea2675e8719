// Updates of a card with the real rauc in the booted image: what is refused, what the card starts next, what it goes back to, and where the power may go.
//
//   first boot  (A)  bundles that are refused | one whose midge crashes, of another owner, is installed and tried
//   second boot (B)  it crashes: back to A by itself
//   third boot  (A)  says why | its broker asks for a good update from a release, which is installed and tried    recorded
//   fourth boot (B)  is healthy, and stays                                                                        recorded
//   then the power is cut in what the third and the fourth boot have written: MIDGE_CUTS says how often, twice without it. Some of the moments are of
//   chance, and some are those around the write of autoboot.txt, which makes B the system that always starts. Each card is switched on again.
//
// The stand-in for the firmware follows Raspberry Pi's rules: a partition that a reboot names is started once; otherwise the one in autoboot.txt.
// QEMU's board has no register for it, so the console says which partition was meant.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { IClientOptions } from 'mqtt';
import { SCHEMA_VERSION } from '../../src/store/schema.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { makeSshKey, runBySsh, type SshKey } from '../support/network/ssh.ts';
import { serveFolder } from '../updates/release-server.ts';
import { makeKey, writeCardRelease } from '../updates/signed-release.ts';
import { firstHalf, keyringName, makeBundle, makeSigner, RELEASE, takeSystem } from './bundles.ts';
import { Card, IMAGE, obstacle, type System } from './card.ts';
import { BOOT_PATIENCE, type Machine, type MachineOptions, switchOn } from './machine.ts';
import { isQueued, type Moment, QUEUED, RecordedBoot } from './recorded-boot.ts';

const CUTS = Number(process.env['MIDGE_CUTS'] ?? 2);
/** Cut cards that are switched on at the same time: as many as CI has cores. */
const AT_ONCE = 2;
/** Which record is cut when, again and again from any of them. */
const AIMS = [
  ['third', 'any'],
  ['fourth', 'during'],
  ['fourth', 'before'],
  ['third', 'any'],
  ['fourth', 'after'],
  ['fourth', 'any'],
] as const satisfies readonly (readonly [string, Moment])[];
/** What starts after a cut at a moment of which that is certain. */
const STARTS: Partial<Record<Moment, System>> = { before: 'A', after: 'B' };
const LOGIN = { username: 'jane', password: 'correct horse battery' };
/** A session that is away from the first boot on. */
const KEEPER = { ...LOGIN, clientId: 'keeper', clean: false };
const BACKEND = '/usr/libexec/midge/slots';
const CARD = '/boot/firmware';
/** Of the version whose midge crashes, and of the good one. */
const [BAD, GOOD] = ['99.0.0', '99.0.1'];
/** Seconds that the broker must stay healthy, in place of five minutes. */
const kernelWords = 'systemd.setenv=MIDGE_SLOTS_HEALTHY=20';
/** How the emulated machine sees this one. */
const HOST = '10.0.2.2';

/** A later midge that changes the database - its version is the number at byte 60 of the file - and keeps the copy for the way back, then fails. */
const CRASHING = `#!/bin/sh
[ "$1" = serve ] || exit 0
database=/var/lib/midge/midge.db
if [ ! -e $database.version-${SCHEMA_VERSION} ]; then
  cp -p $database $database.version-${SCHEMA_VERSION}
  printf '\\000\\000\\000\\143' | dd of=$database bs=1 seek=60 conv=notrunc status=none
fi
echo 'Error: this version cannot start' >&2
exit 1
`;

const skip =
  obstacle() || (RELEASE === null ? 'nothing signs updates: run build/image/keys.sh .cache/image/keys, and make image with them' : false);

test('image takes good updates and goes back from bad ones, whenever the power is cut', {
  skip,
  timeout: BOOT_PATIENCE * (6 + CUTS),
}, async (t) => {
  assert.ok(RELEASE);
  const card = new Card(t, IMAGE ?? '');
  const workshop = temporaryFolder(t);
  const ssh = makeSshKey(workshop);
  const owner = makeSigner(join(workshop, 'owner'));
  const bad = makeBundle(workshop, { version: BAD, signer: owner, system: takeSystem(card, join(workshop, 'bad'), CRASHING) });
  const good = makeBundle(workshop, { version: GOOD, signer: RELEASE, system: takeSystem(card, join(workshop, 'good'), null) });
  const newer = makeBundle(workshop, { version: GOOD, signer: RELEASE });
  const releases = join(workshop, 'releases');
  mkdirSync(releases);
  const releaseKey = makeKey(workshop, 'release');
  writeCardRelease(join(releases, 'stale'), GOOD, newer, releaseKey, { freshUntil: '2020-01-01T00:00:00.000Z' });
  writeCardRelease(join(releases, 'good'), GOOD, good, releaseKey);
  const { port } = new URL((await serveFolder(t, releases)).url);
  const url = (release: string) => `http://${HOST}:${port}/${release}/`;

  card.put(bad, 'bad.raucb');
  card.put(firstHalf(newer), 'half.raucb');
  card.put(makeBundle(workshop, { version: GOOD, signer: RELEASE, compatible: 'midge-other-board' }), 'board.raucb');
  card.put(makeBundle(workshop, { version: '0.0.1', signer: RELEASE }), 'old.raucb');
  card.write('midge.txt', `account = ${LOGIN.username} ${LOGIN.password}\nssh_key = ${ssh.line}\n`);
  const systemA = card.systemDigests('A');

  const first = await bootUp(t, card, ssh);
  await first.shell(
    `mkdir -p /var/lib/midge-release-keys && echo '${readFileSync(releaseKey.public, 'utf8')}' >/var/lib/midge-release-keys/test.pub`,
  );
  await t.test(
    'image refuses an update that is signed by a stranger, truncated, for another board, older or no longer fresh',
    async (t) => {
      const before = card.systemDigests('B');
      for (const [update, wanted] of [
        [`${CARD}/bad.raucb`, /nobody whom this card trusts has signed the update/],
        [`${CARD}/half.raucb`, /the file is not a whole update: it is truncated or damaged/],
        [`${CARD}/board.raucb`, /the update is for "midge-other-board", and this machine is "midge-raspberrypi-arm64"/],
        [`${CARD}/old.raucb`, /the update is midge 0\.0\.1, older than/],
        [url('stale'), /its manifest was good until 2020-01-01, .*there may be a newer release that somebody keeps from you/],
      ] as const) {
        const said = await first.shell(`midge upgrade ${update}`);
        t.diagnostic(said.trim().split('\n').at(-2) ?? said);
        assert.match(said, wanted);
        assert.match(said, /status=1$/);
      }
      assert.equal(await first.shell(`${BACKEND} get-primary; cat ${CARD}/autoboot.txt`), 'A\n[all]\nboot_partition=2\nstatus=0');
      assert.deepEqual(card.systemDigests('B'), before);
    },
  );

  await t.test('image installs the update of an owner whose authority it was given, and one update at a time', async () => {
    const client = await first.machine.connect(LOGIN);
    await client.publishAsync('kept', 'before the update', { qos: 1, retain: true });
    await client.endAsync();
    const keeper = await first.machine.connect(KEEPER);
    await keeper.subscribeAsync(QUEUED, { qos: 1 });
    await keeper.endAsync();
    await first.shell(
      `mkdir -p /var/lib/rauc/keys && echo '${readFileSync(owner.authority, 'utf8')}' >/var/lib/rauc/keys/${keyringName(owner)}`,
    );
    const said = await first.shell(
      `midge upgrade ${CARD}/bad.raucb >/tmp/said 2>&1 & until [ -S /run/midge-upgrade.lock ]; do sleep 0.2; done
       midge upgrade ${CARD}/old.raucb; echo second=$?; wait $!; echo first=$?; cat /tmp/said /var/lib/midge-upgrade/last.json`,
    );
    assert.match(said, /another upgrade is at work on this machine/);
    assert.match(said, /second=1\nfirst=0\n/, said);
    assert.match(said, /"to":"99\.0\.0","outcome":"on trial"/);
    assert.match(card.read('autoboot.txt') ?? '', /boot_partition=2\n/);
  });

  await first.shell('systemctl start --no-block midge-try.service');
  await restartOnce(first.machine, card);
  await restart(await switchOn(t, card, { kernelWords })); // by itself: it goes back

  const thirdRecord = new RecordedBoot(t, 'third', card);
  const third = await bootUp(t, card, ssh, { record: thirdRecord.file });
  await t.test('image says why it went back, with the messages and the database from before the update', async (t) => {
    const said = await third.shell(`midge status; cat ${CARD}/midge-report.txt`);
    t.diagnostic(said.split('\n').find((line) => line.startsWith('! The update')) ?? said);
    assert.match(said, /! The update to 99\.0\.0 on .* was not done: .*did not stay up .*this version cannot start/);
    assert.match(said, /The database is that of before the update\. What came while the new version ran is in \S*midge\.db\.newer-/);
    assert.match(said, /An update failed, and the version from before runs again/);
    assert.equal(await third.shell(`${BACKEND} get-current; ${BACKEND} get-state B`), 'A\nbad\nstatus=0');
    await awaitRetained(third.machine, ['kept']);
  });

  thirdRecord.begin();
  const stopThird = thirdRecord.publishOn(await third.machine.connect(LOGIN));
  const asked = await third.shell(
    `midge config set updates_url ${url('good')} && install -o midge -m 600 /dev/null /var/lib/midge/update-request`,
  );
  assert.match(asked, /status=0$/);
  await restartOnce(third.machine, card);
  stopThird();
  assert.match(card.read('autoboot.txt') ?? '', /boot_partition=2\n/);

  const fourthRecord = new RecordedBoot(t, 'fourth', card);
  const fourth = await bootUp(t, card, ssh, { record: fourthRecord.file });
  const stopFourth = fourthRecord.publishOn(await fourth.machine.connect(LOGIN));
  await t.test('image keeps the update that its broker asked for when it is healthy, with all messages', async () => {
    await fourth.machine.console.line(/marked slot|slot\(s\).*good/i, 0, BOOT_PATIENCE);
    assert.match(
      await fourth.shell(`${BACKEND} get-current; ${BACKEND} get-primary; cat /var/lib/midge-upgrade/last.json`),
      /^B\nB\n.*"to":"99\.0\.1","outcome":"installed"/,
    );
    await awaitRetained(fourth.machine, ['kept', ...thirdRecord.topics]);
  });
  stopFourth();
  await fourth.machine.cut();
  assert.match(card.read('autoboot.txt') ?? '', /boot_partition=3\n/);
  assert.deepEqual(card.systemDigests('A'), systemA);
  const before = { systems: { A: systemA, B: card.systemDigests('B') }, authority: first.authority };
  const from = randomInt(AIMS.length);
  const cuts = Array.from({ length: CUTS }, (_, number) => from + number);
  await t.test(`image starts a whole system with every acknowledged message after each of ${CUTS} power cuts`, async (t) => {
    const run = async () => {
      for (let cut = cuts.shift(); cut !== undefined; cut = cuts.shift())
        await cutPower(t, cut, { third: thirdRecord, fourth: fourthRecord }, before);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
  });
});

/** Lasting is what no power cut may change. */
interface Lasting {
  readonly systems: Readonly<Record<System, ReturnType<Card['systemDigests']>>>;
  /** Fingerprint of the box's own authority. */
  readonly authority: string;
}

interface Booted {
  readonly machine: Machine;
  readonly authority: string;
  /** shell runs a line of sh as root, and gives what it says with its exit status at the end. */
  readonly shell: (line: string) => Promise<string>;
}

async function bootUp(t: TestContext, card: Card, key: SshKey, options: MachineOptions = {}): Promise<Booted> {
  const machine = await switchOn(t, card, { kernelWords, ...options });
  const authority = await readyWith(machine);
  const shell = async (line: string) => {
    const { status, stdout, stderr } = await runBySsh({ port: machine.ports.ssh, key, patience: BOOT_PATIENCE }, line);
    return `${stdout}${stderr}status=${status}`;
  };
  return { machine, authority, shell };
}

/** readyWith waits for the broker, and gives the fingerprint of the authority. */
async function readyWith(machine: Machine): Promise<string> {
  const line = await machine.ready();
  const [, authority] = /is ready: .*authority=([0-9A-F:]{95})/.exec(line) ?? [];
  assert.ok(authority, line);
  return authority;
}

/** restart waits for one that the machine makes by itself. */
async function restart({ console }: Machine): Promise<void> {
  await console.line(/Restarting system/, 0, BOOT_PATIENCE);
  await console.ended;
}

/** restartOnce is that of a trial: the system B is started next, once. An upgrade that fails is reported, with the machine's state. */
async function restartOnce(machine: Machine, card: Card): Promise<void> {
  assert.match(await machine.console.line(/starting partition 3 once|failed=\S*upgrade/, 0, BOOT_PATIENCE), /starting/);
  await restart(machine);
  card.once = 'B';
}

/** awaitRetained signs in and waits until every topic has brought its retained message. */
function awaitRetained(machine: Machine, topics: readonly string[]): Promise<void> {
  return awaitTopics(machine, topics, LOGIN, '#');
}

/** awaitQueued takes up the session that was away and waits for what was kept for it. */
function awaitQueued(machine: Machine, topics: readonly string[]): Promise<void> {
  return awaitTopics(machine, topics.filter(isQueued), KEEPER, null);
}

async function awaitTopics(machine: Machine, topics: readonly string[], login: IClientOptions, filter: string | null): Promise<void> {
  const missing = new Set(topics);
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = await machine.connect(login, (topic) => {
    missing.delete(topic);
    if (missing.size === 0) resolve();
  });
  if (filter !== null) await client.subscribeAsync(filter, { qos: 1 });
  const limit = setTimeout(resolve, BOOT_PATIENCE);
  if (missing.size > 0) await promise;
  clearTimeout(limit);
  assert.deepEqual([...missing], []);
  await client.endAsync();
}

type Records = Readonly<Record<'third' | 'fourth', RecordedBoot>>;

/** cutPower switches the card on that a power cut has left. A whole system must start, and every acknowledged message be there. */
async function cutPower(t: TestContext, number: number, records: Records, { systems, authority }: Lasting): Promise<void> {
  const [boot, moment] = AIMS[number % AIMS.length] ?? assert.fail();
  const { card, place, topics } = records[boot].cut(moment);
  const wanted = ['kept', ...(boot === 'fourth' ? records.third.topics : []), ...topics];
  const starts = card.starts();
  assert.equal(starts, STARTS[moment] ?? starts, place);
  assert.deepEqual(card.systemDigests(starts), systems[starts], place);
  assert.equal(await bootCut(t, card, wanted, boot === 'third' ? null : starts === 'A'), authority, place);
  t.diagnostic(`cut ${place}: ${starts} has started, with ${wanted.length} acknowledged messages`);
  rmSync(card.folder, { recursive: true });
}

/**
 * bootCut switches a cut card on, and gives the fingerprint of its authority. `hasFailed` says whether the cut has ended a trial; null = perhaps,
 * where the restart for it had been asked for.
 */
async function bootCut(t: TestContext, card: Card, wanted: readonly string[], hasFailed: boolean | null): Promise<string> {
  const machine = await switchOn(t, card);
  const authority = await readyWith(machine);
  await awaitRetained(machine, wanted);
  await awaitQueued(machine, wanted);
  await machine.cut();
  const report = card.read('midge-report.txt') ?? '';
  assert.doesNotMatch(report, /damaged|could not be mended/);
  const tellsFailure = /An update failed, .*: It did not start, or the power went before/.test(report);
  assert.equal(tellsFailure, hasFailed ?? tellsFailure, report);
  return authority;
}
